"""Connections that say nothing, or too slowly, hold no place: they are closed, the oldest first."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from descenso.web._security import HEADERS

_PATIENCE = {"head": 15.0, "body": 20.0}  # seconds until that part of a request is whole
READ_PATIENCE = 60.0  # seconds in which a client takes nothing of an answer
MOST = 128  # connections in all
MOST_OF_ONE = 64  # of one client address


class PatientProtocol(H11Protocol):
    """uvicorn's connection, with deadlines and a place for each newcomer.

    A newcomer beyond the limit takes the place of the oldest connection that waits for its own
    client. Where all are being answered, the newcomer is told to come again.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._expected: str | None = None
        self._writing_deadline: asyncio.TimerHandle | None = None
        self._since = self.loop.time()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place, if need be that of a connection that waits for its client."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._expect("head")
        others = [c for c in self.connections if c is not self and isinstance(c, PatientProtocol)]
        host = self.client[0] if self.client else None
        for crowd, most in (
            ([c for c in others if c.client and c.client[0] == host], MOST_OF_ONE),
            (others, MOST),
        ):
            open_ones = [c for c in crowd if not c.transport.is_closing()]
            if len(open_ones) < most:
                continue
            waiting = [c for c in open_ones if c.waits_for_its_client]
            if waiting:
                min(waiting, key=lambda c: c._since).give_up()
            else:
                self._answer(503, "The server is busy; try again in a moment.", b"1")
                return

    @property
    def waits_for_its_client(self) -> bool:
        """Whether the client has to send or to take something, or has more than one request here."""
        being_answered = self.cycle is not None and not self.cycle.response_complete
        return not being_answered or self.flow.write_paused or self._is_unfinished

    @property
    def _is_unfinished(self) -> bool:
        """Whether a part of a request has come: all of its head, or bytes of this one or the next."""
        return self.conn.their_state is h11.SEND_BODY or bool(self.conn.trailing_data[0])

    def data_received(self, data: bytes) -> None:
        """Take what the client sent; a deadline goes on while a request is not whole."""
        super().data_received(data)
        self._limit_request()

    def on_response_complete(self) -> None:
        """Wait for the next request of this connection."""
        super().on_response_complete()
        self._since = self.loop.time()
        self._limit_request()

    def _limit_request(self) -> None:
        if self.transport.is_closing():
            self._expect(None)
        elif self.conn.their_state is h11.SEND_BODY:
            self._expect("body")
        elif self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._expect("head")
        elif self.cycle is not None:  # it is being answered, or idle: uvicorn closes idle ones
            self._expect(None)

    def _expect(self, part: str | None) -> None:
        """Set the deadline of a part of the request; one that runs for that part goes on."""
        if part == self._expected:
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self._expected = part
        if part is not None:
            self._deadline = self.loop.call_later(_PATIENCE[part], self.give_up)

    def pause_writing(self) -> None:
        """Begin the deadline of a client that does not take its answer."""
        super().pause_writing()
        self._writing_deadline = self.loop.call_later(READ_PATIENCE, self.transport.abort)

    def resume_writing(self) -> None:
        """End that deadline."""
        super().resume_writing()
        if self._writing_deadline is not None:
            self._writing_deadline.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the deadlines."""
        for deadline in (self._deadline, self._writing_deadline):
            if deadline is not None:
                deadline.cancel()
        super().connection_lost(exc)

    def give_up(self) -> None:
        """Close a connection whose client takes too long; say so where no answer has begun."""
        if self.transport.is_closing():
            return
        if self.flow.write_paused or (
            self.cycle and self.cycle.response_started and not self.cycle.response_complete
        ):
            self.transport.abort()  # half an answer is no place for another
        elif self._is_unfinished:
            self._answer(408, "The request took too long to arrive.")
        else:
            self._close()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, whether or not its client takes what was sent."""
        super().timeout_keep_alive_handler()
        self._close()

    def _close(self) -> None:
        self.transport.close()
        self.loop.call_later(READ_PATIENCE, self.transport.abort)

    def _should_upgrade(self) -> bool:
        return False  # there are no web sockets here

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, with the headers that every answer has."""
        if not self.transport.is_closing():
            self._answer(400, msg)

    def _answer(self, status: int, text: str, retry: bytes | None = None) -> None:
        """Write a short answer by hand (no request has been understood) and close."""
        fields = {
            "content-type": "text/plain; charset=utf-8",
            "content-length": str(len(text)),
            "connection": "close",
            **HEADERS,
        }
        if retry is not None:
            fields["retry-after"] = retry.decode()
        reason = {400: "Bad Request", 408: "Request Timeout", 503: "Service Unavailable"}[status]
        lines = [f"HTTP/1.1 {status} {reason}", *(f"{k}: {v}" for k, v in fields.items()), "", text]
        self.transport.write("\r\n".join(lines).encode())
        self._close()
