"""Mail for the demo: a few messages of the kinds that a POP3 server has to get right."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

_SENDER = "Restante <postmaster@localhost>"
_REPORT_ROWS = 3_000


def messages(recipient: str, now: datetime | None = None) -> list[bytes]:
    """Return the messages as they are delivered, oldest first, with CRLF line ends."""
    now = now or datetime.now(UTC)
    written = []
    for number, make in enumerate((_welcome, _attachment, _eight_bit, _dots)):
        message = EmailMessage()
        message["From"] = _SENDER
        message["To"] = f"{recipient}@localhost"
        message["Date"] = format_datetime(now - timedelta(hours=12 * (4 - number)))
        message["Message-ID"] = make_msgid(domain="localhost")
        written.append(make(message))
    return written


def _welcome(message: EmailMessage) -> bytes:
    message["Subject"] = "Your mail has been kept for you"
    message.set_content(
        "Hello,\n\n"
        "this is a plain message, and if you can read it, all of it works:\n"
        "you called for your mail, and showed who you are.\n\n"
        "Three more are waiting: one with an attachment, one in more than\n"
        "seven bits, and one full of lines that begin with a dot.\n"
    )
    return message.as_bytes(policy=SMTP)


def _attachment(message: EmailMessage) -> bytes:
    message["Subject"] = "A report, with the figures attached"
    message.set_content("The figures are in the attachment.\n")
    message.add_alternative(
        "<html><body><p>The figures are in the <b>attachment</b>.</p></body></html>\n",
        subtype="html",
    )
    rows = "".join(f"{row},{row * row},{row * row * row}\r\n" for row in range(_REPORT_ROWS))
    message.add_attachment(
        ("number,square,cube\r\n" + rows).encode(),
        maintype="text",
        subtype="csv",
        filename="figures.csv",
    )
    return message.as_bytes(policy=SMTP)


def _eight_bit(message: EmailMessage) -> bytes:
    message["Subject"] = "Grüße aus dem Postamt"
    message.set_content(
        "Schöne Grüße!\n\nΚαλημέρα, доброе утро, 早上好, صباح الخير.\nЁ, ñ, ł, ø, ß, €.\n",
        cte="8bit",
    )
    return message.as_bytes(policy=SMTP)


def _dots(message: EmailMessage) -> bytes:
    message["Subject"] = "Lines that begin with a dot"
    message.set_content(
        "A line of one dot ends a message on the wire, so dots are doubled on\n"
        "the way and made single again. You should see a staircase:\n\n"
        ".\n..\n...\n....\n.hidden\n..\n.\n\n"
        "and this line behind it.\n"
    )
    return message.as_bytes(policy=SMTP)
