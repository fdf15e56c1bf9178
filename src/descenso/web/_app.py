"""The routes: pages, and what their scripts ask for."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from descenso import language, problems, report
from descenso.api import Study
from descenso.errors import SettingError
from descenso.language import _
from descenso.study.design import Design
from descenso.web import _form as form
from descenso.web import _pages as pages
from descenso.web import _playground as playground
from descenso.web import _studies as studies
from descenso.web._calculator import Calculator
from descenso.web._current_store import CurrentStore
from descenso.web._errors import explain, status_of
from descenso.web._jobs import Jobs
from descenso.web._security import HEADERS, LOCAL_HOSTS, Guard


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
    stores = CurrentStore(store)
    jobs = Jobs(store, stores)
    calculator = Calculator()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.stores, app.state.jobs, app.state.calculator = stores, jobs, calculator
        yield
        jobs.close()
        calculator.close()
        stores.close()

    return Starlette(
        routes=[
            Route("/", _page(_playground_page)),
            Route("/studies", _page(_studies_page)),
            Route("/api/surface", _api(_surface)),
            Route("/api/paths", _api(_paths)),
            Route("/api/studies", _api(_list_studies)),
            Route("/api/studies/{identity}", _api(_one_study)),
            Route("/api/jobs", _api(_list_jobs)),
            Route("/api/jobs/start", _start_job, methods=["POST"]),
            Route("/api/jobs/{number:int}/cancel", _api(_cancel_job), methods=["POST"]),
            Route("/studies/{identity}/report.html", _page(_report)),
            Route("/studies/{identity}/study.json", _api(_download)),
            Mount("/static", StaticFiles(packages=[("descenso.web", "static")])),
        ],
        middleware=[
            Middleware(Guard, hosts=hosts, spoken=spoken),
            Middleware(GZipMiddleware, minimum_size=1000),
        ],
        exception_handlers={404: _missing, 405: _missing},
        lifespan=lifespan,
    )


def _api(answer: Callable[[Request], Any]) -> Callable[[Request], Response]:
    """Make a route of a function that returns JSON-ready values; errors become one line."""

    @wraps(answer)
    def respond(request: Request) -> Response:
        try:
            given = answer(request)
        except Exception as error:
            return JSONResponse({"error": explain(error)}, status_of(error))
        return given if isinstance(given, Response) else JSONResponse(given)

    return respond


def _page(answer: Callable[[Request], Any]) -> Callable[[Request], Response]:
    @wraps(answer)
    def respond(request: Request) -> Response:
        try:
            given = answer(request)
        except Exception as error:
            return HTMLResponse(pages.render("error", text=explain(error)), status_of(error))
        return given if isinstance(given, Response) else HTMLResponse(given)

    return respond


def _missing(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    text = (
        _("this address does not take {method} requests").format(method=request.method[:20])
        if status == 405
        else _("there is no page at this address")
    )
    headers = getattr(error, "headers", None)
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": text}, status, headers)
    return HTMLResponse(pages.render("error", text=text), status, headers)


# ---- the playground --------------------------------------------------------------------------


def _playground_page(request: Request) -> str:
    request.app.state.calculator.prepare()
    return pages.playground()


def _surface(request: Request) -> Any:
    if request.query_params.get("function"):
        return _calculated(request, "surface")
    return playground.surface_answer(request.query_params)


def _paths(request: Request) -> Any:
    if request.query_params.get("function"):
        return _calculated(request, "paths")
    return playground.paths_answer(request.query_params, request.query_params.getlist("m"))


def _calculated(request: Request, kind: str) -> Response:
    written = request.query_params.getlist("m")
    text, status = request.app.state.calculator.answer(kind, request.query_params, written)
    return Response(text, status, media_type="application/json")


# ---- studies ---------------------------------------------------------------------------------


def _studies_page(request: Request) -> str:
    return pages.studies(problems.names())


def _running(request: Request) -> list[str]:
    return [j["study"] for j in request.app.state.jobs.listing() if j["state"] == "running"]


def _list_studies(request: Request) -> Response:
    stores = request.app.state.stores
    with stores.open() as store:
        listed = studies.listing(store, _running(request))
    return JSONResponse(listed, headers={"x-descenso-store": str(stores.changes)})


def _one_study(request: Request) -> Any:
    with request.app.state.stores.open() as store:
        return studies.one(store, request.path_params["identity"])


def _result(request: Request) -> Study:
    with request.app.state.stores.open() as store:
        return studies.result_of(store, request.path_params["identity"])


def _download(request: Request) -> Response:
    identity = request.path_params["identity"]
    study = _result(request)
    name = f'attachment; filename="descenso-{identity}.json"'
    text = json.dumps(study.to_json(), indent=2, ensure_ascii=False)
    return Response(text, media_type="application/json", headers={"content-disposition": name})


def _report(request: Request) -> Response:
    """Return the report, shut in: a page of its own origin that can reach nothing of this server."""
    study = _result(request)
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


async def _start_job(request: Request) -> Response:
    try:
        body = await request.json()
    except (ValueError, RecursionError):  # JSON may be nested deeper than Python reads
        body = None
    return await run_in_threadpool(_api(lambda request: _start(request, body)), request)


def _start(request: Request, body: Any) -> Any:
    if not isinstance(body, dict) or not isinstance(body.get("problem"), str):
        raise SettingError(_("name the problem to study"))
    studies.check_startable(body["problem"], problems.names())
    chosen = problems.get(body["problem"])
    methods = body.get("methods") or None
    if methods is not None and not (isinstance(methods, str) and len(methods) <= 500):
        raise SettingError(_("methods are one text of at most 500 letters"))
    design = Design.of(chosen, methods, **form.asked(body))
    return {
        **request.app.state.jobs.start(body["problem"], design).as_json(),
        "problem": chosen.name,
    }


#: Where the page's scripts and styles lie; each is served as it is.
STATIC = Path(__file__).parent / "static"
