"""Prepared images: found again by what they are made from, else made from a container."""

from dataclasses import replace
from uuid import uuid4

from factory.diagnoses.packages import explain_packages
from factory.digest import Digest
from factory.engine.api import ContainerSpec
from factory.errors import ImageError
from factory.failure import Ended, Failure
from factory.images import prepared
from factory.images.bootstrap import IDENTITY_LABEL, INPUT_LABEL
from factory.images.mirror import apt_mirror
from factory.images.ready import ReadyImage
from factory.plan.model import Preparation
from factory.redaction import bare
from factory.sessions.services import Services, certificate_files, network_env, without_logins
from factory.sessions.session import Session
from factory.steps import WORK

_MANIFEST_LIMIT_BYTES = 64 << 20


def prepared_image(
    services: Services, base: ReadyImage, preparation: Preparation, subject: str
) -> ReadyImage | Failure:
    """Return the image that a base becomes with these packages and commands.

    Raises:
        ImageError: somebody removed the image meanwhile.
        Interrupted: the run was cancelled while another one made the image.
    """
    asked = prepared.input_digest(base.identity, preparation)
    memory = services.memory
    with memory.alone("prepared", asked, on_wait=services.recorder.progress(subject)):
        image = services.engine.find_image(_labels(services, asked))
        if image is None or memory.update:
            made = _make(services, base, preparation, asked, subject)
            if isinstance(made, Failure):
                return made
            if image is not None:  # Only now, so that a failure leaves the older image.
                services.engine.remove_image(image)
            image = made
        held = services.engine.held_image(image)
        if held is None:
            raise ImageError(f"{subject} has been removed", hint="run the same command again to make it anew")
        return replace(base, reference=image, identity=Digest(held.labels[IDENTITY_LABEL]), base=base)


def _labels(services: Services, asked: Digest) -> dict[str, str]:
    """Return the labels that a prepared image of this store is found by."""
    owner = services.memory.store.owner
    return {INPUT_LABEL: asked.hex, "wheel-factory.kind": "prepared", "wheel-factory.owner": owner}


def _make(services: Services, base: ReadyImage, preparation: Preparation, asked: Digest, subject: str) -> str | Failure:
    mirror, network = apt_mirror(services.host) or "", network_env(services.host)
    if preparation.before_all or base.own is None:
        # Otherwise the recipe's own commands, or an image of its choice, would see the user's passwords.
        mirror, network = bare(mirror), without_logins(network)
    with services.session(subject) as session:
        firewall = services.helper().reference
        session.start(
            ContainerSpec(image=base.reference, label=subject, env={}, network=True, firewall=firewall, prepares=True)
        )
        session.put((*prepared.configuration(mirror), *certificate_files(services.host)), WORK)
        failure = session.run_all(prepared.steps(preparation, network=network, mirror=mirror))
        if failure is not None:
            return _explained(failure, session)
        manifest = session.take(prepared.MANIFEST, "package-list", limit_bytes=_MANIFEST_LIMIT_BYTES)
        if isinstance(manifest, Failure):
            return manifest
        # Packages make the same image when they are the same; what commands of a recipe did is in no manifest.
        making = uuid4().hex if preparation.before_all else ""
        identity = prepared.identity(asked, manifest[0].content, making)
        return _commit(services, session, base, preparation, asked, identity)


def _explained(failure: Failure, session: Session) -> Failure:
    if failure.ended != "failed" or failure.step != "packages":
        return failure
    diagnosis = explain_packages(session.last_output)
    if diagnosis is None:
        return failure
    ended: Ended = "lost" if diagnosis.kind == "mirror" else "failed"
    return replace(failure, message=diagnosis.sentence, hint=diagnosis.hint, ended=ended)


def _commit(
    services: Services, session: Session, base: ReadyImage, preparation: Preparation, asked: Digest, identity: Digest
) -> str:
    labels = {
        INPUT_LABEL: asked.hex,
        IDENTITY_LABEL: identity.hex,
        prepared.BASE_LABEL: base.facts.name,
        prepared.HOLDS_LABEL: str(preparation),
    }
    reference = f"wheel-factory/prepared:{asked.short}-{services.memory.store.owner[:8]}"
    with services.recorder.step(session.subject, "save-image") as mark:
        image = session.container.commit(reference=reference, labels=labels)
        mark.outcome = "passed"
        return image
