"""A certificate authority of the tests, and the certificates it signs."""

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Certificate:
    """PEM files of a certificate and its key."""

    cert: Path
    key: Path


class Authority:
    """A self-signed CA. Its certificate is `ca.cert`; each Authority is one nobody else trusts."""

    def __init__(self, directory: Path, name: str = "airgap test CA") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        builder = _builder(self._name, self._name, self._key, expired=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_ca_usage(), critical=True)
        self._certificate = builder.sign(self._key, hashes.SHA256())
        self.cert = directory / "ca.crt"
        self.cert.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, *names: str, expired: bool = False) -> Certificate:
        """A server certificate for host names and IP addresses (127.0.0.1 and localhost when none)."""
        names = names or ("127.0.0.1", "localhost")
        return self._issue("server", names, ExtendedKeyUsageOID.SERVER_AUTH, expired)

    def client(self, name: str = "airgap client") -> Certificate:
        return self._issue("client", (name,), ExtendedKeyUsageOID.CLIENT_AUTH, expired=False)

    def token_signer(self) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
        """An RSA key for RS256 and its certificate, signed by this CA."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        builder = _builder(_name("airgap token signer"), self._name, key, expired=False)
        return key, builder.sign(self._key, hashes.SHA256())

    def client_context(self) -> ssl.SSLContext:
        """What a Python client needs to trust servers of this CA."""
        return ssl.create_default_context(cafile=str(self.cert))

    def _issue(self, kind: str, names: tuple[str, ...], usage: x509.ObjectIdentifier, expired: bool) -> Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(names[0]), self._name, key, expired)
        builder = builder.add_extension(x509.SubjectAlternativeName([_alt_name(n) for n in names]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        stem = self._directory / f"{kind}-{certificate.serial_number:x}"
        issued = Certificate(stem.with_suffix(".crt"), stem.with_suffix(".key"))
        issued.cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        issued.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                 serialization.NoEncryption()))
        return issued


def server_context(certificate: Certificate, client_ca: Path | None = None) -> ssl.SSLContext:
    """TLS for the Python servers; with `client_ca`, clients must show a certificate that it signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _alt_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(subject: x509.Name, issuer: x509.Name, key: PrivateKey, expired: bool) -> x509.CertificateBuilder:
    now = datetime.datetime.utcnow()
    end = now - datetime.timedelta(days=1) if expired else now + datetime.timedelta(days=30)
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=2)).not_valid_after(end))


def _ca_usage() -> x509.KeyUsage:
    return x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
                         key_encipherment=False, data_encipherment=False, key_agreement=False,
                         encipher_only=False, decipher_only=False)
