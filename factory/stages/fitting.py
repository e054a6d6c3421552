"""Fit an image for cells and trials: prepare it as a recipe asks, and bring Rust and interpreters to it."""

from dataclasses import dataclass

from factory import codec
from factory.backends.zig import machine_of
from factory.failure import Failure
from factory.images.ready import ReadyImage
from factory.keys import key
from factory.plan.model import Cell, Preparation, RustRelease, Trial
from factory.planned import PlannedRecipe
from factory.sessions.services import Services
from factory.stages.interpreter import with_interpreter
from factory.stages.prepared import prepared_image
from factory.stages.rust import with_rust
from factory.stages.rust_release import with_release
from factory.stages.userland import with_userland
from factory.stages.zig import Zig, with_zig
from factory.tags import Interpreter, has_musl


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """One way to fit an image; cells and trials that ask for the same share the fitted image.

    `release` is the release of the Rust project that is brought. `machine` is what a Rust that is brought compiles for
    where it is not the image's own, by its triple where that has musl;
    `userland` is the machine whose Python a trial runs, None for the image's own; for Windows' it is
    wine that is brought.
    """

    image: str
    preparation: Preparation | None = None
    bundled_rust: bool = False
    release: RustRelease | None = None
    zig: Zig | None = None
    machine: str | None = None
    interpreter: Interpreter | None = None
    userland: str | None = None

    @property
    def name(self) -> str:
        """The fitted image's name in this run; where there is nothing to do, the image's own."""
        parts = [self.image]
        if self.preparation is not None:
            parts.append(key({"preparation": codec.dump(self.preparation)}).short)
        if self.bundled_rust:
            parts.append("rust" if self.machine is None else f"rust-{self.machine}")
        if self.release is not None:
            parts.append(self._release)
        if self.zig is not None:
            parts.append(str(self.zig))
        if self.interpreter is not None:
            parts.append(str(self.interpreter))
        if self.userland is not None:
            parts.append(self.userland)
        return "+".join(parts)

    @property
    def _release(self) -> str:
        name = f"rust-{key({'release': codec.dump(self.release)}).short}"
        return name if self.machine is None else f"{name}-{self.machine}"

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to do."""
        changes = (self.preparation, self.release, self.zig, self.interpreter, self.userland)
        return self.bundled_rust or any(change is not None for change in changes)


def fitting_of(planned: PlannedRecipe, cell: Cell) -> Fitting | None:
    """Return how a cell's image is fitted; None for a cell that no image can build."""
    builder = cell.builder
    if builder is None:
        return None
    return Fitting(
        image=builder.image,
        preparation=builder.preparation,
        bundled_rust=builder.rust == "bundle",
        release=builder.rust_release,
        machine=_compiled_for(cell),
        zig=Zig.of(planned.tree, cell.zigs_platform) if cell.zigs_platform is not None else None,
        interpreter=builder.interpreter if builder.on_demand else None,
    )


def _compiled_for(cell: Cell) -> str | None:
    zigs = cell.zigs_platform
    if zigs is not None and has_musl(zigs):
        return machine_of(zigs).rust
    return None if cell.platform.arch == cell.machine else cell.platform.arch


def fitting_of_trial(cell: Cell, trial: Trial) -> Fitting | None:
    """Return how a trial's image is fitted; None for a trial that no image can carry out."""
    if trial.image is None:
        return None
    interpreter = trial.interpreter if trial.on_demand else None
    return Fitting(image=trial.image, interpreter=interpreter, userland=cell.emulated)


def fitting_of_loader(cell: Cell) -> Fitting | None:
    """Return how the image is fitted whose loader resolves a cell's wheel; None where the plan names none."""
    if cell.builder is None or cell.loader is None:
        return None
    windows = cell.mingws_platform
    return Fitting(image=cell.loader, userland=cell.emulated if windows is None else windows.arch)


def fitted(services: Services, base: ReadyImage, fitting: Fitting) -> ReadyImage | Failure:
    """Fit an image.

    Raises:
        ImageError: Rust cannot be assembled.
        EngineError: zig cannot be downloaded.
        Interrupted: the run was cancelled meanwhile.
    """
    subject = f"image:{fitting.name}"
    image: ReadyImage | Failure = base
    if fitting.preparation is not None:
        image = prepared_image(services, base, fitting.preparation, subject)
    if isinstance(image, ReadyImage) and fitting.bundled_rust:
        image = with_rust(services, image, fitting.machine)
    if isinstance(image, ReadyImage) and fitting.release is not None:
        image = with_release(services, image, fitting.release, fitting.machine)
    if isinstance(image, ReadyImage) and fitting.zig is not None:
        image = with_zig(services, image, fitting.zig)
    if isinstance(image, ReadyImage) and fitting.interpreter is not None:
        image = with_interpreter(services, image, fitting.interpreter, subject)
    if isinstance(image, ReadyImage) and fitting.userland is not None:
        image = with_userland(services, image, fitting.userland, subject)
    return image
