"""Laws of the vocabulary of tags."""

from hypothesis import given
from hypothesis import strategies as st

from factory.tags import ARCHITECTURES, Abi3Floor, Interpreter, PlatformTag, WheelTag, claims, tag_for

minors = st.integers(min_value=0, max_value=99)
cpythons = st.builds(Interpreter, minors, st.booleans())
interpreters = cpythons | st.builds(Interpreter, minors, st.just(value=False), st.just("pp"))
floors = st.builds(Abi3Floor, minors, st.booleans())
policies = st.integers(min_value=0, max_value=99)
platforms = st.builds(
    PlatformTag, st.sampled_from(["glibc", "musl"]), policies, policies, st.sampled_from(sorted(ARCHITECTURES))
)


@given(interpreters)
def test_an_interpreter_reads_as_it_prints(interpreter: Interpreter) -> None:
    assert Interpreter.parse(str(interpreter)) == interpreter


@given(floors)
def test_a_floor_reads_as_it_prints(floor: Abi3Floor) -> None:
    assert Abi3Floor.parse(str(floor)) == floor


@given(platforms)
def test_a_platform_reads_as_any_of_its_spellings(platform: PlatformTag) -> None:
    assert {PlatformTag.parse(spelling) for spelling in platform.aliases} == {platform}


@given(interpreters | floors, platforms)
def test_a_wheel_tag_reads_as_it_prints(built_for: Interpreter | Abi3Floor, platform: PlatformTag) -> None:
    tag = tag_for(built_for, platform)

    assert WheelTag.parse(str(tag)) == tag


@given(st.text(alphabet="cpt0123456789") | st.text())
def test_an_interpreter_has_one_spelling(text: str) -> None:
    try:
        interpreter = Interpreter.parse(text)
    except ValueError:
        return

    assert str(interpreter) == text


@given(floors, floors, interpreters)
def test_a_higher_floor_never_covers_more(one: Abi3Floor, other: Abi3Floor, interpreter: Interpreter) -> None:
    higher, lower = max(one, other), Abi3Floor(min(one, other).minor, max(one, other).free_threaded)

    assert lower.covers(interpreter) or not higher.covers(interpreter)


@given(floors, interpreters, platforms)
def test_a_floor_covers_exactly_what_its_tag_claims(
    floor: Abi3Floor, interpreter: Interpreter, platform: PlatformTag
) -> None:
    assert claims(tag_for(floor, platform).expanded, interpreter) == floor.covers(interpreter)


@given(interpreters, interpreters, platforms)
def test_a_version_specific_wheel_claims_its_interpreter_alone(
    built_for: Interpreter, other: Interpreter, platform: PlatformTag
) -> None:
    assert claims(tag_for(built_for, platform).expanded, other) == (built_for == other)


@given(platforms, platforms, platforms)
def test_serving_is_transitive(one: PlatformTag, two: PlatformTag, three: PlatformTag) -> None:
    assert one.serves(three) or not (one.serves(two) and two.serves(three))


@given(platforms, platforms)
def test_two_platforms_that_serve_each_other_are_one(one: PlatformTag, other: PlatformTag) -> None:
    assert (one.serves(other) and other.serves(one)) == (one == other)
