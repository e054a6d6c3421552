"""Prepared images of a run: found again by what they are made from, else made in a container that becomes an image."""

from dataclasses import replace
from uuid import uuid4

from factory.diagnoses.packages import explain_packages
from factory.digest import Digest
from factory.engine.api import ContainerSpec
from factory.errors import ImageError, Interrupted
from factory.images import ReadyImage, prepared
from factory.images.bootstrap import IDENTITY_LABEL, INPUT_LABEL
from factory.images.mirror import apt_mirror
from factory.pipeline.bench import Bench
from factory.pipeline.hands import Hands, certificate_files, network_env, without_logins
from factory.pipeline.model import Failure
from factory.plan.model import Preparation
from factory.steps import WORK
from factory.web.session import bare

_MANIFEST_LIMIT_BYTES = 64 << 20


def prepared_image(hands: Hands, base: ReadyImage, preparation: Preparation, subject: str) -> ReadyImage | Failure:
    """Return the image that a base becomes with these packages and commands.

    Raises:
        Interrupted: the run was ended while another one held the same.
    """
    asked = prepared.input_digest(base.identity, preparation)
    stages = hands.stages
    told = hands.recorder.progress(subject)
    with stages.store.once("prepared", asked, cancelled=stages.cancelled, on_wait=told) as mine:
        if not mine:
            raise Interrupted("interrupted while another run prepared the same image")
        found = hands.engine.find_image(_marks(hands, asked))
        if found is None or stages.update:
            made = _make(hands, base, preparation, asked, subject)
            if isinstance(made, Failure):
                return made
            if found is not None:
                hands.engine.remove_image(found)
            found = made
        held = hands.engine.held_image(found)
        if held is None:
            raise ImageError(f"{subject} was here, and is gone", hint="did somebody remove it? type it again")
        return replace(base, reference=found, identity=Digest(held.labels[IDENTITY_LABEL]), base=base)


def _marks(hands: Hands, asked: Digest) -> dict[str, str]:
    """Return the labels that a prepared image of this store is found by."""
    owner = hands.stages.store.owner
    return {INPUT_LABEL: asked.hex, "wheel-factory.kind": "prepared", "wheel-factory.owner": owner}


def _make(hands: Hands, base: ReadyImage, preparation: Preparation, asked: Digest, subject: str) -> str | Failure:
    mirror, network = apt_mirror(hands.host) or "", network_env(hands.host)
    if preparation.before_all or base.own is None:
        # The recipe's own commands, or an image of its choice, would see the user's passwords.
        mirror, network = bare(mirror), without_logins(network)
    with hands.bench(subject) as bench:
        firewall = hands.helper().reference
        bench.start(
            ContainerSpec(image=base.reference, label=subject, env={}, network=True, firewall=firewall, prepares=True)
        )
        bench.put((*prepared.configuration(mirror), *certificate_files(hands.host)), WORK)
        failure = bench.run_all(prepared.steps(preparation, network=network, mirror=mirror))
        if failure is not None:
            return _explained(failure, bench)
        manifest = bench.take(prepared.MANIFEST, "manifest", limit_bytes=_MANIFEST_LIMIT_BYTES)
        if isinstance(manifest, Failure):
            return manifest
        making = uuid4().hex if preparation.before_all else ""
        identity = prepared.identity(asked, manifest[0].content, making)
        return _commit(hands, bench, base, preparation, asked, identity)


def _explained(failure: Failure, bench: Bench) -> Failure:
    said = explain_packages(bench.last_output) if failure.ended == "failed" and failure.step == "packages" else None
    if said is None:
        return failure
    return replace(failure, message=said.sentence, hint=said.hint, ended="lost" if said.kind == "mirror" else "failed")


def _commit(
    hands: Hands, bench: Bench, base: ReadyImage, preparation: Preparation, asked: Digest, identity: Digest
) -> str:
    labels = {
        INPUT_LABEL: asked.hex,
        IDENTITY_LABEL: identity.hex,
        prepared.BASE_LABEL: base.facts.name,
        prepared.HOLDS_LABEL: str(preparation),
    }
    reference = f"wheel-factory/prepared:{asked.short}-{hands.stages.store.owner[:8]}"
    with hands.recorder.step(bench.subject, "commit") as mark:
        image = bench.container.commit(reference=reference, labels=labels)
        mark.outcome = "passed"
        return image
