import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import * as x509 from '@peculiar/asn1-x509'

/** What a server on this machine needs to be believed by clients that have the CA; all PEM. */
export interface Certificates {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** RFC 5758: ecdsa-with-SHA256; RFC 5280: commonName. */
const ecdsaWithSha256 = '1.2.840.10045.4.3.2'
const commonName = '2.5.4.3'
const year = 365 * 24 * 3600 * 1000

/** A CA that signs one certificate, for 127.0.0.1 and localhost, and whose key nobody keeps. */
export function createCertificates(): Certificates {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = { name: nameOf('kubesync-sandbox-ca'), key: authority.privateKey }
  const ca = certificate(issuer, {
    ...{ subject: issuer.name, key: authority.publicKey },
    extension: critical(x509.id_ce_basicConstraints, new x509.BasicConstraints({ cA: true })),
  })
  const names = [
    new x509.GeneralName({ dNSName: 'localhost' }),
    new x509.GeneralName({ iPAddress: '127.0.0.1' }),
  ]
  const cert = certificate(issuer, {
    ...{ subject: nameOf('kubesync-sandbox'), key: server.publicKey },
    extension: critical(x509.id_ce_subjectAltName, new x509.SubjectAlternativeName(names)),
  })
  return { ca, cert, key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

interface Subject {
  readonly subject: x509.Name
  readonly key: KeyObject
  readonly extension: x509.Extension
}

function certificate(
  issuer: { name: x509.Name; key: KeyObject },
  { subject, key, extension }: Subject,
): string {
  const signature = new x509.AlgorithmIdentifier({ algorithm: ecdsaWithSha256 })
  // A positive number whatever its first bit is.
  const serialNumber = Uint8Array.from([1, ...randomBytes(15)]).buffer
  const now = Date.now()
  const spki = key.export({ type: 'spki', format: 'der' })
  const tbsCertificate = new x509.TBSCertificate({
    ...{ version: 2, serialNumber, signature, issuer: issuer.name, subject },
    // Clocks of two programs on one machine are one clock, but may be set back.
    validity: new x509.Validity({ notBefore: new Date(now - 3600_000), notAfter: new Date(now + 10 * year) }),
    subjectPublicKeyInfo: AsnConvert.parse(spki, x509.SubjectPublicKeyInfo),
    extensions: new x509.Extensions([extension]),
  })
  const signed = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertificate)), issuer.key)
  const signatureValue = Uint8Array.from(signed).buffer
  const made = new x509.Certificate({ tbsCertificate, signatureAlgorithm: signature, signatureValue })
  return new X509Certificate(Buffer.from(AsnConvert.serialize(made))).toString()
}

function critical(extnID: string, value: object): x509.Extension {
  const extnValue = new OctetString(AsnConvert.serialize(value))
  return new x509.Extension({ extnID, critical: true, extnValue })
}

function nameOf(text: string): x509.Name {
  const value = new x509.AttributeValue({ utf8String: text })
  return new x509.Name([
    new x509.RelativeDistinguishedName([new x509.AttributeTypeAndValue({ type: commonName, value })]),
  ])
}
