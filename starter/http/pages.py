"""The OpenAPI document as pages to read and to try, without a foreign server.

Swagger UI comes from the package `fastapi-offline`, which carries its files; of that package
nothing else is used.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Orderloom API</title>
<link rel="icon" type="image/png" href="docs/favicon.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<main id="pages"></main>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""

_START: Final = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#pages",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
"""

_KINDS: Final = {
    "favicon.png": "image/png",
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
}
_DAY_S: Final = 86_400
# Swagger UI writes styles into its elements, and pictures into its addresses.
_POLICY: Final = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def page() -> Response:
    """The page. It loads everything else from here."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


@router.get("/docs/start.js")
async def start() -> Response:
    """What begins the page: in a file of its own, so that no script in the page need be allowed."""
    return Response(_START, media_type="text/javascript; charset=utf-8")


@router.get("/docs/{name}")
async def part(name: str) -> Response:
    """A file of Swagger UI."""
    if name not in _KINDS:
        raise HTTPException(404)
    content = files("fastapi_offline").joinpath("static", name).read_bytes()
    kept = {"Cache-Control": f"public, max-age={_DAY_S}"}
    return Response(content, media_type=_KINDS[name], headers=kept)
