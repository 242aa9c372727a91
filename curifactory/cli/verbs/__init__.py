"""One file for each verb of the ``experiment`` command; importing one brings in click and nothing else heavy."""
