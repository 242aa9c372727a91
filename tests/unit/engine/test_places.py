from curifactory.engine import places


def as_engine(run_code):
    return places.place_of_call(run_code)


def as_session(run_code):
    return as_engine(run_code)


def through_the_package(run_code):
    """Ask from as deep as a decorated function, the session and the engine are."""
    return as_session(run_code)


def test_each_place_of_a_loop_is_told_by_its_line_however_often_it_is_asked():
    found = []
    for _ in range(3):
        found.append(through_the_package(None))
        found.append(through_the_package(None))
    lines = [line for (_, line), _ in found]
    assert lines[1] == lines[0] + 1
    assert lines == lines[:2] * 3
    assert {(file, waits) for (file, _), waits in found} == {(__file__, False)}


def test_a_call_waits_only_under_the_run_that_is_asked_about_and_outside_of_blocks():
    def run(code):
        found = [through_the_package(code)[1]]
        try:
            found.append(through_the_package(code)[1])
        finally:
            pass
        return found

    for _ in range(2):
        assert run(run.__code__) == [True, False]
        assert run(None) == [False, False]


def test_under_a_run_the_line_is_that_of_the_run_wherever_the_stage_is_called():
    def prepare(code):
        return through_the_package(code)

    def run(code):
        return [prepare(code), prepare(code)]

    for _ in range(2):
        (first, _), (second, _) = run(run.__code__)
        assert first == second == (__file__, run.__code__.co_firstlineno + 1)
