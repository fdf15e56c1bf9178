"""The web page: a playground of paths, and a browser of stored studies. Nothing leaves the machine."""

from descenso.web._app import create_app
from descenso.web._serve import serve

__all__ = ["create_app", "serve"]
