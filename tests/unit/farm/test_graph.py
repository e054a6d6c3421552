"""Which jobs recipes have, what each needs, and in which order they may begin."""

from dataclasses import replace

from factory.farm.graph import jobs_of
from factory.farm.jobs import BuildCell, FitImage, Job, MakeImage, TryWheel
from tests.doubles.projects import HASHES, PLAIN, STABLE, WORDS
from tests.doubles.run import World
from tests.makers.plans import interpreters, make_image

PIN = "registry.example/image@sha256:" + "ab" * 32


def jobs_for(world: World, *texts: str) -> list[Job]:
    return jobs_of([world.planned(text) for text in texts], workers=2)


def test_images_come_just_before_what_needs_them_and_builds_before_their_trials(world: World) -> None:
    jobs = jobs_for(world, WORDS)

    kinds = [type(job) for job in jobs]
    assert kinds == [MakeImage, FitImage, MakeImage, BuildCell, BuildCell, TryWheel, MakeImage, TryWheel]


def test_every_job_needs_only_what_comes_before_it(world: World) -> None:
    jobs = jobs_for(world, WORDS, HASHES, PLAIN, STABLE)

    for number, job in enumerate(jobs):
        assert {*job.needs} <= {earlier.key for earlier in jobs[:number]}


def test_the_key_of_a_job_is_the_subject_of_its_events(world: World) -> None:
    cell = "plain/cp313-cp313-manylinux_2_31_x86_64"

    assert [str(job.key) for job in jobs_for(world, PLAIN) if not isinstance(job, MakeImage)] == [cell, f"{cell}@cp313"]


def test_cells_that_ask_for_the_same_share_their_images_and_a_fitting(world: World) -> None:
    one, both = jobs_for(world, WORDS.replace("cp311, cp313", "cp313")), jobs_for(world, WORDS)

    assert [job for job in both if isinstance(job, FitImage)] == [job for job in one if isinstance(job, FitImage)]
    assert len({job.key for job in both}) == len(both)


def test_an_image_that_only_a_recipe_names_is_that_recipes_own(world: World) -> None:
    world.images = (*world.images, make_image("cp313", name=PIN, family="recipe", rust=None))

    jobs = jobs_for(world, f"{PLAIN}images: {{manylinux_2_31_x86_64: '{PIN}'}}\n", WORDS)

    assert {job.name for job in jobs if isinstance(job, MakeImage) and job.is_a_recipes} == {PIN}


def test_a_trial_has_the_overrides_of_its_own_interpreter(world: World) -> None:
    jobs = jobs_for(world, STABLE)

    commands = {str(job.trial.interpreter): job.planned.recipe.test.run for job in jobs if isinstance(job, TryWheel)}
    assert commands["cp311"] != commands["cp313"]


def test_cells_that_are_built_alike_are_peers(world: World) -> None:
    alike = [job for job in jobs_for(world, WORDS) if isinstance(job, BuildCell)]
    override = "overrides:\n  - {select: 'cp313-*', build: {env: {COLOUR: red}}}\n"
    other = [job for job in jobs_for(world, f"{WORDS}{override}") if isinstance(job, BuildCell)]

    assert [job.peers for job in alike] == [(alike[1].key,), (alike[0].key,)]
    assert [job.peers for job in other] == [(), ()]


def test_the_others_begin_after_the_first_where_nothing_states_the_tags(world: World) -> None:
    planned = world.planned(WORDS)
    computed = replace(planned, project=replace(planned.project, computed_tags="setup.py: py_limited_api"))

    known, unknown = (
        [job for job in jobs_of([each], workers=2) if isinstance(job, BuildCell)] for each in (planned, computed)
    )

    assert [job.after for job in known] == [(), ()]
    assert [job.after for job in unknown] == [(), (unknown[0].key,)]


def test_without_recipes_there_is_no_job() -> None:
    assert jobs_of([], workers=2) == []


def test_an_interpreter_is_made_by_one_job_and_the_others_that_bring_it_wait_for_that_one(world: World) -> None:
    world.images = tuple(replace(image, on_demand=interpreters("cp315t")) for image in world.images)

    jobs = jobs_for(world, WORDS.replace("cp311, cp313", "cp313, cp315t"), PLAIN.replace("cp313", "cp315t"))

    fitted = {job.fitting.name: job for job in jobs if isinstance(job, FitImage)}
    (first, *others) = [job for job in jobs if isinstance(job, FitImage) and job.fitting.interpreter]
    assert (first.after, {job.after for job in others}) == ((), {(first.key,)})
    assert all({*job.needs} <= {earlier.key for earlier in jobs[:number]} for number, job in enumerate(jobs))
    (trial, *_) = [job for job in jobs if isinstance(job, TryWheel) and job.trial.on_demand]
    assert fitted[trial.image].fitting.interpreter == trial.trial.interpreter
