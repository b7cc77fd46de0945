"""A mail by Python's smtplib, as an ordinary program sends one: STARTTLS if it can be had, then log in, then send.

usage: smtplib_client.py HOST PORT CA_FILE KEY_LOG USER PASSWORD

An empty CA_FILE is "no TLS", an empty KEY_LOG "write no keys", an empty USER "do not log in". When STARTTLS is
refused or not offered, the client goes on in clear, as opportunistic clients do.
"""

import smtplib
import ssl
import sys
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

TEXT = """\
Hello Bob,

the minutes of Tuesday's meeting are on the shelf behind my desk.
Please take the blue folder, not the green one.

Alice
"""


def main() -> None:
    host, port, ca_file, key_log, user, password = sys.argv[1:]
    message = EmailMessage()
    message["From"] = "Alice <alice@example.org>"
    message["To"] = "Bob <bob@example.org>"
    message["Subject"] = "Minutes of the meeting"
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain="client.example.org")
    message.set_content(TEXT)
    with smtplib.SMTP(host, int(port), local_hostname="client.example.org") as client:
        client.ehlo()
        if ca_file:
            context = ssl.create_default_context(cafile=ca_file)
            if key_log:
                context.keylog_filename = key_log
            try:
                client.starttls(context=context)
                client.ehlo()
                print("TLS:", client.sock.version(), client.sock.cipher())
            except (smtplib.SMTPResponseException, smtplib.SMTPNotSupportedError) as refusal:
                print("no STARTTLS, going on in clear:", refusal)
        if user:
            client.login(user, password)
        client.send_message(message)


if __name__ == "__main__":
    main()
