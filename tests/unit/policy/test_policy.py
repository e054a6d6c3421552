from itertools import pairwise

import pytest

from factory.policy import age, policies, policy_for, system_libraries
from factory.tags import ARCHITECTURES, PlatformTag

PROMISES = {
    "its own glibc": ("manylinux_2_28_x86_64", "GLIBC_2.28", True),
    "an older glibc": ("manylinux_2_28_x86_64", "GLIBC_2.2.5", True),
    "a newer glibc": ("manylinux_2_28_x86_64", "GLIBC_2.29", False),
    "no private glibc": ("manylinux_2_41_x86_64", "GLIBC_PRIVATE", False),
    "gcc's of that time": ("manylinux_2_17_x86_64", "GLIBCXX_3.4.19", True),
    "none newer": ("manylinux_2_17_x86_64", "GLIBCXX_3.4.20", False),
    "nothing about unlisted libraries": ("manylinux_2_17_x86_64", "OPENSSL_3.0.0", True),
    "a glibc between two listed ones": ("manylinux_2_33_x86_64", "GLIBC_2.33", True),
    "the lower one's libstdc++ there": ("manylinux_2_33_x86_64", "GLIBCXX_3.4.29", False),
    "a glibc with more digits than int takes": ("manylinux_2_17_x86_64", "GLIBC_2." + "9" * 5000, False),
}


@pytest.mark.parametrize("case", PROMISES)
def test_a_platform_promises(case: str) -> None:
    tag, version, promised = PROMISES[case]
    policy = policy_for(PlatformTag.parse(tag))

    assert policy is not None
    assert policy.promises(version) is promised


def test_the_newest_promise_is_named_for_people() -> None:
    policy = policy_for(PlatformTag.parse("manylinux_2_17_x86_64"))

    assert policy is not None
    assert policy.newest("GLIBC_2.34") == "GLIBC_2.17"
    assert policy.newest("GLIBCXX_3.4.32") == "GLIBCXX_3.4.19"


def test_an_architecture_younger_than_the_platform_has_no_policy() -> None:
    assert policy_for(PlatformTag.parse("manylinux_2_17_riscv64")) is None


@pytest.mark.parametrize("arch", sorted(ARCHITECTURES))
def test_policies_are_ordered_and_a_newer_one_never_promises_less(arch: str) -> None:
    listed = policies("glibc", arch)

    assert [policy.tag for policy in listed] == sorted(policy.tag for policy in listed)
    for older, newer in pairwise(listed):
        assert older.libraries <= newer.libraries
        for prefix, versions in older.versions.items():
            assert versions <= newer.versions[prefix]


@pytest.mark.parametrize(("arch", "soname"), [("x86_64", "libc.musl-x86_64.so.1"), ("armv7l", "libc.musl-armv7.so.1")])
def test_musl_answers_to_its_soname_and_to_libc_so(arch: str, soname: str) -> None:
    (oldest, *_) = policies("musl", arch)

    assert {soname, "libc.so"} <= oldest.libraries


def test_versions_age_by_number() -> None:
    versions = ["GLIBC_2.4", "GLIBC_2.17", "GLIBC_PRIVATE", "GLIBC_2.2.5"]

    assert sorted(versions, key=age) == ["GLIBC_PRIVATE", "GLIBC_2.2.5", "GLIBC_2.4", "GLIBC_2.17"]


def test_the_systems_libraries_are_those_of_all_policies() -> None:
    assert {"libc.so.6", "libX11.so.6", "libc.musl-aarch64.so.1"} <= system_libraries()
    assert "libssl.so.3" not in system_libraries()
