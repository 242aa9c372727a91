from curifactory.core.markup import table_markup


def test_a_table_has_a_row_for_each() -> None:
    table = table_markup("Plan", ["stage", "what"], [["load", "run"], ["train", 3]])
    assert table.count("<tr>") == 3
    assert "<td" in table
    assert ">3</td>" in table


def test_every_text_is_escaped() -> None:
    table = table_markup("<b>", ["<i>"], [["<script>alert('x')</script>"]])
    assert "<b>" not in table
    assert "<i>" not in table
    assert "<script" not in table
    assert "&lt;script&gt;" in table
