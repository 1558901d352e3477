"""Dovecot over Maildirs: in clear with STLS, refusing passwords in clear, under TLS at once."""

import base64
from pathlib import Path

import trustme

from interop.daemon import free_port
from interop.peers.mailstores import UID, deliver, make_maildir, own
from interop.peers.room import CERTIFICATE, PRIVATE_KEY, Room
from interop.peers.tokens import Issuer
from restante.examine.target import Account, ClientCertificate, Endpoint, Target, Tls

STRICT = "127.0.0.2"
"""The address where passwords need TLS: to Dovecot a client from the same address is safe."""

MECHANISMS = "plain login apop cram-md5 scram-sha-1 scram-sha-256 external oauthbearer xoauth2"
CLIENTS = "interop/clients.pem"
"""Below /etc, who signs the certificates of clients."""

CONFIGURATION = """\
base_dir = /run/dovecot
state_dir = /var/lib/dovecot
log_path = /dev/stderr
protocols = pop3
listen = 127.0.0.1, {strict}
ssl = yes
ssl_cert = </etc/{certificate}
ssl_key = </etc/{key}
ssl_ca = </etc/{clients}
ssl_verify_client_cert = yes
ssl_require_crl = no
auth_ssl_username_from_cert = yes
disable_plaintext_auth = no
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
mail_max_userip_connections = 100
mail_location = maildir:~/Maildir
first_valid_uid = {uid}
passdb {{
  driver = static
  args = nopassword
  mechanisms = external
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u /var/lib/users/%u
}}
passdb {{
  driver = oauth2
  mechanisms = oauthbearer xoauth2
  args = /etc/dovecot-oauth2.conf
}}
userdb {{
  driver = static
  args = uid={uid} gid={uid} home=/var/lib/homes/%u
}}
local {strict} {{
  disable_plaintext_auth = yes
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = {implicit}
    ssl = yes
  }}
}}
"""

TOKENS = """\
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=/var/lib/keys/
username_attribute = sub
"""


class Dovecot(Room):
    """A Dovecot with a file for each account."""

    name = "Dovecot"
    package = "dovecot-pop3d"
    has_passwords = True
    serves = (
        f"Maildirs; accounts in passwd-files; `auth_mechanisms = {MECHANISMS}`, tokens signed with"
        " a key; client certificates by `ssl_verify_client_cert = yes` and"
        " `auth_ssl_username_from_cert = yes`; `auth_failure_delay = 0`; another address with"
        " `disable_plaintext_auth = yes`"
    )
    users = "dovecot:x:21001:21001::/:/bin/false\ndovenull:x:21002:21002::/:/bin/false\n"
    groups = "dovecot:x:21001:\ndovenull:x:21002:\n"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.certify()
        self._clients = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self.implicit = free_port()
        (directory / "lib/users").mkdir()
        values = {"uid": UID, "strict": STRICT, "certificate": CERTIFICATE, "key": PRIVATE_KEY}
        clients = self._clients.cert_pem.bytes().decode()
        self.write(f"etc/{CLIENTS}", clients)
        values |= {"clients": CLIENTS, "mechanisms": MECHANISMS}
        ports = {"port": self.port, "implicit": self.implicit}
        self._issuer = Issuer()
        self.write("etc/dovecot-oauth2.conf", TOKENS)
        self.write("lib/keys/default/HS256/default", self._issuer.key)
        self.write("etc/dovecot.conf", CONFIGURATION.format(**values, **ports))
        self.plan.run.append(["/usr/sbin/dovecot", "-F", "-c", "/etc/dovecot.conf"])

    def add(self, account: Account) -> None:
        """Make an account with an empty Maildir."""
        own(make_maildir(self._maildir(account)).parent)
        password = base64.b64encode(account.password.encode()).decode()
        # A file for each: Dovecot looks once a second whether one it knows has changed.
        self.write(f"lib/users/{account.name}", f"{account.name}:{{PLAIN.b64}}{password}\n")

    def token(self, name: str) -> str | None:
        """Return a bearer token of an account."""
        return self._issuer.token(name)

    def put(self, account: Account, octets: bytes) -> None:
        """Deliver into the Maildir."""
        deliver(self._maildir(account), octets)

    def certificate(self, account: Account) -> ClientCertificate:
        """Return a certificate of the account."""
        issued = self._clients.issue_cert(common_name=account.name, key_type=trustme.KeyType.ECDSA)
        pem = issued.private_key_and_cert_chain_pem.bytes().decode()
        return ClientCertificate(self.write(f"clients/{account.name}.pem", pem))

    def _maildir(self, account: Account) -> Path:
        return self.directory / "lib/homes" / account.name / "Maildir"

    def target(self) -> Target:
        """Return it as the judge wants it."""
        return self.offered(
            Endpoint("127.0.0.1", self.port, Tls.STLS, cleartext=True),
            Endpoint(STRICT, self.port, Tls.STLS, cleartext=False),
            Endpoint("127.0.0.1", self.implicit, Tls.IMPLICIT, cleartext=True),
        )
