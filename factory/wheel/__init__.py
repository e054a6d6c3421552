"""A wheel, read from its bytes."""

from factory.wheel.read import parse_record, read_wheel
from factory.wheel.wheel import Metadata, RecordRow, Variant, Wheel, WheelName, WheelText, record_hash

__all__ = [
    "Metadata",
    "RecordRow",
    "Variant",
    "Wheel",
    "WheelName",
    "WheelText",
    "parse_record",
    "read_wheel",
    "record_hash",
]
