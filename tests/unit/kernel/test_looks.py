"""How a seller looks: what is refused when it is set, because no customer could read or see it."""

from __future__ import annotations

import base64

import pytest
from pydantic import ValidationError

from domain.looks import LOGO_BYTES_MAX, Looks, contrast_with_white, picture

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def data(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def refusal(**told: str) -> str:
    with pytest.raises(ValidationError) as refused:
        Looks.model_validate(told)
    (fault,) = refused.value.errors()
    return fault["msg"]


@pytest.mark.parametrize(
    ("colour", "contrast"), [("#000000", 21), ("#ffffff", 1), ("#767676", 4.54), ("#777777", 4.48)]
)
def test_the_contrast_is_that_of_the_guidelines(colour: str, contrast: float) -> None:
    assert contrast_with_white(colour) == pytest.approx(contrast, abs=0.005)


def test_a_colour_on_which_nobody_reads_is_refused() -> None:
    assert Looks(colour="#0A5C36").colour == "#0a5c36"
    assert "a contrast of 4.5 with the white text" in refusal(colour="#777777")
    assert "a contrast of 1.3 with the white text" in refusal(colour="#ffe000")
    assert "must be a colour such as #0a5c36" in refusal(colour="green")
    assert "must be a colour" in refusal(colour="#000000;background:url(x)")


def test_a_logo_is_a_small_picture() -> None:
    for kind, content in (
        ("image/png", PNG),
        ("image/jpeg", b"\xff\xd8\xff\xe0" + b"\0" * 9),
        ("image/webp", b"RIFF\x10\0\0\0WEBPVP8 "),
    ):
        logo = Looks(logo=data(content, kind)).logo
        assert logo is not None
        assert picture(logo) == (kind, content)


@pytest.mark.parametrize(
    ("logo", "told"),
    [
        ("https://shop.example/logo.png", "must be a picture as data:image/png;base64,"),
        (data(b"<svg onload='x'/>", "image/svg+xml"), "must be a picture as data:"),
        (data(b"<svg onload='x'/>"), "holds no image/png"),
        (data(PNG, "image/jpeg"), "holds no image/jpeg"),
        ("data:image/png;base64,abc", "must be a picture as data:"),
        (data(PNG + b"\0" * LOGO_BYTES_MAX), "a logo has 24,576 at most"),
        (data(PNG + b"\0" * 10 * LOGO_BYTES_MAX), "at most"),
    ],
)
def test_another_logo_is_refused(logo: str, told: str) -> None:
    assert told in refusal(logo=logo)
