"""A real OpenID provider for tests: oidc-provider, as packaging/provider-packages.sh has it."""

import html
import http.cookiejar
import json
import os
import re
import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
import trustme

from conftest import require

PROGRAM = Path(__file__).parent / "provider" / "provider.mjs"
INSTALLED = (
    Path(os.environ.get("RESTANTE_PEERS") or PROGRAM.parents[2] / ".peers") / "oidc-provider"
)
SECRET = "the / secret: of pop"
"""What `pop` may introspect with."""
END_SECONDS = 20.0


class IdentityProvider:
    """The provider while it runs, with the requests that programs and people make of it."""

    def __init__(self, directory: Path) -> None:
        node = require("node")
        if not (INSTALLED / "installed").exists():
            if os.environ.get("CI"):
                pytest.fail(f"there is no oidc-provider in {INSTALLED}")
            pytest.skip("oidc-provider is not installed: see packaging/provider-packages.sh")
        directory.mkdir(parents=True, exist_ok=True)
        authority = trustme.CA()
        issued = authority.issue_cert("127.0.0.1", key_type=trustme.KeyType.ECDSA)
        self.authorities = directory / "authorities.pem"
        certificate, key = directory / "certificate.pem", directory / "key.pem"
        authority.cert_pem.write_to_path(str(self.authorities))
        issued.cert_chain_pems[0].write_to_path(str(certificate))
        issued.private_key_pem.write_to_path(str(key))
        self.secret_file = directory / "secret"
        self.secret_file.write_text(f"{SECRET}\n")
        self._command = [node, str(PROGRAM), str(INSTALLED), str(certificate), str(key)]
        self._log = directory / "log"
        self._context = ssl.create_default_context(cafile=str(self.authorities))
        self.issuer = self.audience = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "IdentityProvider":
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._log.read_text()
        told = json.loads(line)
        self.issuer, self.audience = told["issuer"], told["audience"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.kill()
        process.communicate(timeout=END_SECONDS)

    # ---- what it is asked

    def token(self, name: str, kind: str, scope: str = "mail", resource: str = "") -> str:
        """Return a token of a program of one account; `kind` is `jwt` or `opaque`."""
        return str(
            self._post(
                "/token",
                grant_type="client_credentials",
                client_id=name,
                client_secret=f"secret of {name}",
                scope=scope,
                resource=resource or f"{self.audience}{kind}",
            )["access_token"]
        )

    def token_of_a_person(self, program: str, name: str, kind: str) -> str:
        """Return a token for a program that a person has let in by the device flow (RFC 8628)."""
        client = {"client_id": program, "client_secret": f"secret of {program}"}
        resource = f"{self.audience}{kind}"
        begun = self._post("/device/auth", **client, scope="openid mail", resource=resource)
        Person(self._context, name).agree(str(begun["verification_uri_complete"]))
        grant = "urn:ietf:params:oauth:grant-type:device_code"
        code = str(begun["device_code"])
        return str(
            self._post("/token", **client, grant_type=grant, device_code=code)["access_token"]
        )

    def discovery(self) -> str:
        """Return where the provider describes itself, if it does so there."""
        url = f"{self.issuer}/.well-known/openid-configuration"
        with urllib.request.urlopen(url, context=self._context, timeout=30) as response:
            assert json.load(response)["issuer"] == self.issuer
        return url

    def revoke(self, name: str, token: str) -> None:
        """Have a token be good for nothing any more (RFC 7009)."""
        client = {"client_id": name, "client_secret": f"secret of {name}"}
        self._post("/token/revocation", **client, token=token)

    def _post(self, path: str, **form: str) -> dict[str, Any]:
        body = urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(self.issuer + path, body)
        with urllib.request.urlopen(request, context=self._context, timeout=30) as response:
            octets = response.read()
        return dict(json.loads(octets)) if octets else {}


class Person:
    """Somebody with a browser, who logs in and agrees to everything that is asked."""

    def __init__(self, context: ssl.SSLContext, name: str) -> None:
        self._name = name
        self._browser = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )

    def agree(self, url: str) -> None:
        """Follow the pages from this one on until there is nothing left to fill in."""
        page = self._open(url)
        for _ in range(6):
            form = re.search(r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', page, re.DOTALL)
            if form is None:
                return
            fields = {
                name: html.unescape(value)
                for name, value in re.findall(
                    r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form[2]
                )
            }
            if 'name="login"' in form[2]:
                fields |= {"login": self._name, "password": "anything"}
            body = urllib.parse.urlencode(fields).encode()
            page = self._open(urllib.parse.urljoin(self._at, html.unescape(form[1])), body)
        raise AssertionError(page)

    def _open(self, url: str, body: bytes | None = None) -> str:
        try:
            with self._browser.open(url, body, timeout=30) as response:
                self._at = response.url
                return str(response.read().decode())
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None
