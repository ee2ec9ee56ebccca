"""Calls that carry a bearer token: taken once, replaced once when the insurer refuses it."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from .calls import Answer, Call
from .errors import AuthenticationError, ConnectorError
from .tokens import TokenCache
from .transport import Transport


class BearerTransport:
    """:param headers: how a token is shown to the insurer.
    :param refused: whether this refusal may be the token's fault. By default HTTP 401.
    """

    def __init__(
        self,
        transport: Transport,
        tokens: TokenCache,
        *,
        headers: Callable[[str], Mapping[str, str]] = lambda token: {"Authorization": f"Bearer {token}"},
        refused: Callable[[AuthenticationError], bool] = lambda error: error.status == 401,
    ) -> None:
        self._transport = transport
        self._tokens = tokens
        self._headers = headers
        self._refused = refused

    def send(self, call: Call) -> Answer:
        """Send with a token; when that is refused, once more with another one. Raises what ``Transport.send`` does."""
        token = self._tokens.current()
        try:
            return self._transport.send(self._with(call, token))
        except AuthenticationError as error:
            if not self._refused(error):
                raise
            acted = error.may_have_acted  # an attempt before the refused one may have been carried out
        try:
            return self._transport.send(self._with(call, self._tokens.replace(token)))
        except ConnectorError as error:
            error.may_have_acted = error.may_have_acted or acted
            raise

    def _with(self, call: Call, token: str) -> Call:
        return replace(call, headers={**call.headers, **self._headers(token)})
