"""Values of AutoGen that are more than their fields."""

from __future__ import annotations

from typing import Any

from durably.adapting import TypeCodec


def _image_to_text(image: Any) -> str:
    return str(image.to_base64())


def _image_from_text(text: str) -> Any:
    from autogen_core import Image

    return Image.from_base64(text)


CODECS: tuple[TypeCodec[Any], ...] = (
    TypeCodec("autogen_core:Image", "autogen-image", _image_to_text, _image_from_text),
)

ALLOW = ("autogen_core", "autogen_agentchat", "autogen_ext")
