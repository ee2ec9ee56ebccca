"""What can go wrong between us and an insurer.

::

    ConnectorError                  every error of this package
    ├── ConfigurationError          the connection is set up wrongly: a person corrects it
    ├── NotSupported                this insurer's interface lacks the call: take the file route
    ├── AuthenticationError         the insurer does not accept our credentials or our right to the call
    ├── RejectedByInsurer           the insurer understood and said no, in its own words
    ├── UnexpectedResponse          an answer came that does not have the documented shape
    └── TransportError              the network, or the insurer's server, failed
        └── RateLimited             too many calls: not acted upon, welcome again after a while

The type says what to do next; two attributes, which every error has, say how:

``retryable``
    the same call may succeed later without anybody changing anything;
``may_have_acted``
    the insurer may have carried the call out although we have no answer. Before a write is repeated, ask
    (``Insurer.find_claim``); a call without this flag was certainly not carried out.

Messages are in English, contain no secret (the transport redacts them) and are not meant for the user's eye:
the Odoo skin turns the type, and ``words`` of a refusal, into the user's language.
"""

from enum import StrEnum


class Sent(StrEnum):
    """Whether a call reached the insurer."""

    NO = "no"
    YES = "yes"  # an answer came, though a damaged one or a server error
    UNKNOWN = "unknown"  # it left, and nothing came back


class ConnectorError(Exception):
    """Root of the tree.

    :param message: what happened, one sentence without the insurer's name.
    :param insurer: code of the connector, as in ``registry.CONNECTORS``.
    :param request_id: our correlation id of the call, also found in the log and in the recorded exchange.
    """

    retryable: bool = False
    may_have_acted: bool = False

    def __init__(self, message: str, *, insurer: str, request_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.insurer = insurer
        self.request_id = request_id

    def __str__(self) -> str:
        trailer = f" [request {self.request_id}]" if self.request_id else ""
        return f"{self.insurer}: {self.message}{trailer}"


class ConfigurationError(ConnectorError):
    """The connection cannot work as it is set up (address, certificate, missing credential)."""


class NotSupported(ConnectorError):
    """The insurer's interface has no such call; ``operation`` names it. Nothing was sent."""

    def __init__(self, operation: str, *, insurer: str) -> None:
        super().__init__(f"{operation} is not supported", insurer=insurer)
        self.operation = operation


class AuthenticationError(ConnectorError):
    """Credentials or rights were refused. ``status`` is 401 (who are you?) or 403 (you may not)."""

    def __init__(self, message: str, *, insurer: str, request_id: str | None = None, status: int = 401) -> None:
        super().__init__(message, insurer=insurer, request_id=request_id)
        self.status = status


class RejectedByInsurer(ConnectorError):
    """The insurer refused the call itself.

    ``code`` is the insurer's raw code (may be empty), ``words`` its explanation as sent, ``status`` the HTTP status.
    """

    def __init__(
        self, *, insurer: str, code: str, words: str, status: int | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(f"refused ({code or status}): {words}", insurer=insurer, request_id=request_id)
        self.code = code
        self.words = words
        self.status = status


class UnexpectedResponse(ConnectorError):
    """The answer is not what the insurer documents; ``field`` is the path of the offending value, ``""`` for the
    body as a whole. The call itself may well have been carried out."""

    may_have_acted = True

    def __init__(self, message: str, *, insurer: str, field: str = "", request_id: str | None = None) -> None:
        super().__init__(f"{field}: {message}" if field else message, insurer=insurer, request_id=request_id)
        self.field = field


class TransportError(ConnectorError):
    """No usable answer came. ``sent`` says whether the call reached the insurer; ``retry_after`` is the number of
    seconds the insurer asks us to wait, ``None`` when it did not say."""

    def __init__(
        self,
        message: str,
        *,
        insurer: str,
        retryable: bool,
        sent: Sent,
        retry_after: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, insurer=insurer, request_id=request_id)
        self.retryable = retryable
        self.sent = sent
        self.may_have_acted = sent is not Sent.NO
        self.retry_after = retry_after


class RateLimited(TransportError):
    """The insurer, or our own limiter, turned the call away because there were too many; it was not acted upon."""

    def __init__(
        self, message: str, *, insurer: str, retry_after: float | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(
            message, insurer=insurer, retryable=True, sent=Sent.YES, retry_after=retry_after, request_id=request_id
        )
        self.may_have_acted = False
