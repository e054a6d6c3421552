"""What is said of a script of ours that failed."""

from factory.diagnoses.scripts import explain_script


def test_faults_stand_in_one_line_and_nothing_else_does() -> None:
    printed = (
        "fault: apt did not get a.tar.xz: 404  Not Found\nE: failed\nfault: apt did not get b.tar.xz: 404  Not Found\n"
    )

    assert explain_script(printed) == "apt did not get a.tar.xz: 404 Not Found; apt did not get b.tar.xz: 404 Not Found"


def test_without_a_fault_the_last_lines_are_shown() -> None:
    assert explain_script("\n".join(map(str, range(20)))) == "\n".join(map(str, range(5, 20)))
