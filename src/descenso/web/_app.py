"""The routes: pages, and what their scripts ask for."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from descenso import language, problems, report
from descenso.errors import DescensoError, SettingError, StoreError, UnknownNameError
from descenso.language import _
from descenso.store import Store
from descenso.web import _pages as pages
from descenso.web import _playground as playground
from descenso.web import _studies as studies
from descenso.web._jobs import Jobs
from descenso.web._security import HEADERS, LOCAL_HOSTS, Guard

_LIMITS = {"epochs": 200, "seeds": 50, "trials": 48}
_log = logging.getLogger("descenso.web")


def create_app(store: str | None = None, hosts: Sequence[str] = LOCAL_HOSTS) -> Starlette:
    """Return the web application.

    Parameters
    ----------
    store : where studies are kept; see :class:`descenso.store.Store`.
    hosts : the host names that requests may call it by.

    Raises
    ------
    StoreError
        If the store cannot be opened.
    """
    spoken = language.current()
    opened = Store(store)
    jobs = Jobs(store)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        jobs.close()
        opened.close()

    return Starlette(
        routes=[
            Route("/", _page(spoken, lambda request: pages.playground())),
            Route("/studies", _page(spoken, _studies_page)),
            Route("/api/surface", _api(spoken, _surface)),
            Route("/api/paths", _api(spoken, _paths)),
            Route("/api/studies", _api(spoken, _list_studies)),
            Route("/api/studies/{identity}", _api(spoken, _one_study)),
            Route("/api/jobs", _api(spoken, _list_jobs)),
            Route("/api/jobs/start", _start_job_in(spoken), methods=["POST"]),
            Route("/api/jobs/{number:int}/cancel", _api(spoken, _cancel_job), methods=["POST"]),
            Route("/studies/{identity}/report.html", _page(spoken, _report)),
            Route("/studies/{identity}/study.json", _api(spoken, _download)),
            Mount("/static", StaticFiles(packages=[("descenso.web", "static")])),
        ],
        middleware=[Middleware(Guard, hosts=hosts), Middleware(GZipMiddleware, minimum_size=1000)],
        exception_handlers={404: _missing, 405: _missing},
        lifespan=_with_state(lifespan, opened, jobs),
    )


def _with_state(lifespan: Any, store: Store, jobs: Jobs) -> Any:
    @asynccontextmanager
    async def prepared(app: Starlette) -> AsyncIterator[None]:
        app.state.store, app.state.jobs = store, jobs
        async with lifespan(app):
            yield

    return prepared


def _speak(request: Request, spoken: str) -> None:
    """Answer in the language of the address, else the browser's, else the server's."""
    asked = request.query_params.get("lang")
    if asked not in language.LANGUAGES:
        wanted = re.match(r"\s*([a-z]{2})", request.headers.get("accept-language", "").lower())
        asked = wanted[1] if wanted and wanted[1] in language.LANGUAGES else spoken
    language.use(asked)


def _api(spoken: str, answer: Callable[[Request], Any]) -> Callable[[Request], Response]:
    """Make a route of a function that returns JSON-ready values; errors become one line."""

    @wraps(answer)
    def respond(request: Request) -> Response:
        _speak(request, spoken)
        try:
            given = answer(request)
        except Exception as error:
            return JSONResponse({"error": studies.explain(error)}, _status(error))
        return given if isinstance(given, Response) else JSONResponse(given)

    return respond


def _page(spoken: str, answer: Callable[[Request], Any]) -> Callable[[Request], Response]:
    @wraps(answer)
    def respond(request: Request) -> Response:
        _speak(request, spoken)
        try:
            given = answer(request)
        except Exception as error:
            status = _status(error)
            return HTMLResponse(pages.render("error", text=studies.explain(error)), status)
        return given if isinstance(given, Response) else HTMLResponse(given)

    return respond


def _status(error: Exception) -> int:
    if isinstance(error, UnknownNameError):
        return 404
    if isinstance(error, StoreError):
        return 503
    if isinstance(error, DescensoError):
        return 400
    _log.error("a request failed", exc_info=error)
    return 500


def _missing(request: Request, error: Exception) -> Response:
    language.use(language.current())
    text = _("there is no page at this address")
    status = getattr(error, "status_code", 404)
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": text}, status)
    return HTMLResponse(pages.render("error", text=text), status)


# ---- the playground --------------------------------------------------------------------------


def _surface(request: Request) -> Any:
    return playground.surface_answer(request.query_params)


def _paths(request: Request) -> Any:
    return playground.paths_answer(request.query_params, request.query_params.getlist("m"))


# ---- studies ---------------------------------------------------------------------------------


def _studies_page(request: Request) -> str:
    return pages.studies(problems.names())


def _running(request: Request) -> list[str]:
    return [j["study"] for j in request.app.state.jobs.listing() if j["state"] == "running"]


def _list_studies(request: Request) -> Any:
    return studies.listing(request.app.state.store, _running(request))


def _one_study(request: Request) -> Any:
    return studies.one(request.app.state.store, request.path_params["identity"])


def _download(request: Request) -> Response:
    identity = request.path_params["identity"]
    study = studies.result_of(request.app.state.store, identity)
    name = f'attachment; filename="descenso-{identity}.json"'
    text = json.dumps(study.to_json(), indent=2, ensure_ascii=False)
    return Response(text, media_type="application/json", headers={"content-disposition": name})


def _report(request: Request) -> Response:
    """Return the report, shut in: a page of its own origin that can reach nothing of this server."""
    study = studies.result_of(request.app.state.store, request.path_params["identity"])
    text = report.render(study.result)
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in scripts)
    policy = (
        f"sandbox allow-scripts allow-downloads; default-src 'none'; script-src {hashes}; "
        "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    headers = {"content-security-policy": policy}
    if "download" in request.query_params:
        name = f"descenso-{request.path_params['identity']}.html"
        headers["content-disposition"] = f'attachment; filename="{name}"'
    return HTMLResponse(text, headers={**HEADERS, **headers})


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


# ---- starting studies ------------------------------------------------------------------------


def _list_jobs(request: Request) -> Any:
    return request.app.state.jobs.listing()


def _cancel_job(request: Request) -> Any:
    return request.app.state.jobs.cancel(request.path_params["number"]).as_json()


def _start_job_in(spoken: str) -> Callable[[Request], Any]:
    async def start(request: Request) -> Response:
        try:
            body = await request.json()
        except ValueError:
            body = None
        return _api(spoken, lambda request: _start_job(request, body))(request)

    return start


def _start_job(request: Request, body: Any) -> Any:
    if not isinstance(body, dict) or not isinstance(body.get("problem"), str):
        raise SettingError(_("name the problem to study"))
    studies.check_startable(body["problem"], problems.names())
    chosen = problems.get(body["problem"])
    asked: dict[str, Any] = {"problem": body["problem"]}
    if body.get("methods"):
        from descenso.methods import parse_list

        asked["methods"] = [m.label for m in parse_list(str(body["methods"])[:500])]
    for name, most in _LIMITS.items():
        if body.get(name) not in (None, ""):
            asked[name] = _bounded(name, body[name], most)
    return {**request.app.state.jobs.start(asked).as_json(), "problem": chosen.name}


def _bounded(name: str, value: Any, most: int) -> int:
    text = str(value)
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and 1 <= int(text) <= most):
        raise SettingError(
            _("{name} must be a whole number from 1 to {most}; got {value!r}").format(
                name=name, most=most, value=text[:40]
            )
        )
    return int(text)


#: Where the page's scripts and styles lie; each is served as it is.
STATIC = Path(__file__).parent / "static"
