"""Output is kept within its cap and taken out of the engine's frames, however it is cut into pieces."""

from hypothesis import given
from hypothesis import strategies as st

from factory.engine.output import CappedOutput, payloads


def make_frames(*contents: bytes) -> bytes:
    return b"".join(b"\x01\0\0\0" + len(content).to_bytes(4, "big") + content for content in contents)


@given(content=st.binary(max_size=300), cuts=st.lists(st.integers(min_value=0, max_value=300)), half=st.integers(1, 50))
def test_a_cap_keeps_both_ends_whatever_the_pieces(content: bytes, cuts: list[int], half: int) -> None:
    output = CappedOutput(2 * half)

    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(content)], strict=True):
        output.add(content[start:end])

    if len(content) <= 2 * half:
        assert output.text() == content.decode(errors="replace")
        assert not output.truncated
    else:
        gap = f"\n[... {len(content) - 2 * half} bytes left out ...]\n".encode()
        assert output.text() == (content[:half] + gap + content[-half:]).decode(errors="replace")
        assert output.truncated


@given(contents=st.lists(st.binary(max_size=40)), size=st.integers(min_value=1, max_value=60))
def test_frames_are_taken_apart_whatever_the_pieces(contents: list[bytes], size: int) -> None:
    whole = make_frames(*contents)
    pieces = iter([whole[start : start + size] for start in range(0, len(whole), size)])

    assert b"".join(payloads(lambda: next(pieces, b""))) == b"".join(contents)


def test_silence_is_passed_on_as_an_empty_piece() -> None:
    pieces = iter([make_frames(b"one"), None, make_frames(b"two")[:5], None, make_frames(b"two")[5:], b""])

    assert list(payloads(lambda: next(pieces))) == [b"one", b"", b"", b"two"]
