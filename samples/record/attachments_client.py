"""A mail with attachments by Python's email and smtplib: text and HTML, a PDF, a picture, and a forwarded message.

usage: attachments_client.py HOST PORT

The header names a blind recipient (Bcc), as a careless program leaves it. File names are in the forms that mail programs
write: plain, RFC 2231 with a character set, and one that tries to leave its folder.
"""

import random
import smtplib
import sys
import zlib
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

TEXT = """\
Hello Bob,

here are the quarterly figures; the picture is from the harbour.
.
Alice
"""


def pdf() -> bytes:
    """One page that says "figures", with enough random octets in a stream to be a real attachment."""
    noise = zlib.compress(random.Random(42).randbytes(9000))
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(noise), noise),
    ]
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, part in enumerate(parts, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, table)
    return bytes(out)


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)


def main() -> None:
    host, port = sys.argv[1:]
    inner = EmailMessage()
    inner["From"] = "Carol <carol@example.org>"
    inner["To"] = "alice@example.org"
    inner["Subject"] = "Re: the harbour"
    inner["Message-ID"] = "<harbour-7@client.example.org>"
    inner.set_content("The tide is at noon.\n")

    message = EmailMessage()
    message["Received"] = "from desk.example.org (desk.example.org [192.0.2.77]) by client.example.org with ESMTPSA; " + formatdate()
    message["From"] = "Alice <alice@example.org>"
    message["To"] = "Bob <bob@example.org>"
    message["Bcc"] = "postmaster@example.org"
    message["Subject"] = "Quarterly figures – für Bob"
    message["Date"] = formatdate()
    message["Message-ID"] = "<figures-1@client.example.org>"
    message["X-Mailer"] = "attachments_client"
    message.set_content(TEXT)
    message.add_alternative("<html><body><p>The <a href='https://www.example.org/figures'>figures</a>.</p></body></html>\n", subtype="html")
    message.add_attachment(pdf(), maintype="application", subtype="pdf", filename="report.pdf")
    message.add_attachment(PIXEL, maintype="image", subtype="png", filename="Hafen für Bob.png")
    message.add_attachment(b"echo hello\n", maintype="application", subtype="octet-stream", filename="../../etc/profile")
    message.add_attachment(inner)
    with smtplib.SMTP(host, int(port), local_hostname="client.example.org") as client:
        # Not send_message(), which would take the Bcc field out.
        client.sendmail("alice@example.org", ["bob@example.org", "postmaster@example.org"], message.as_bytes(policy=SMTP))


if __name__ == "__main__":
    main()
