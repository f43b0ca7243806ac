// Package signature makes and checks the signature blocks of bundles.
//
// Use it through package mcpb, which finds the blocks and the end record: Bundle.Verify, Bundle.Sign, Bundle.Unsign. Use
// it directly for what they take and give: [Trust] says whom a person trusts, [Report] what was found, [Identity] who
// signs.
//
// A block is MCPB_SIG_V1, a little-endian length, a CMS SignedData in DER (RFC 5652), and MCPB_SIG_END, at the very end
// of the file. The reference appends it behind the archive; we write it as the archive's comment, so that strict ZIP
// readers accept the file. What is signed is every byte before the block, either as it stands (variant A) or with the
// comment's length reduced by that of the block (variant B), which later versions of the reference sign before they
// patch the length.
//
// The parser takes one form and nothing else: a byte that carries no meaning could be changed by anybody without the
// signer's key. That is why it is ours and not a library's: the kept PKCS#7 libraries convert BER, accept what they do
// not understand, and sort the signed attributes before they check them, so that they find no signature of the
// reference valid. crypto/x509 parses certificates and checks signatures and chains.
//
// What freedom is left outside of what is signed, docs/security.md lists: the timestamp, the order of the certificates, the
// amount of padding, absent or NULL parameters of a digest, and of an ECDSA signature (r, s) the twin (r, n-s), which
// anybody can compute.
package signature
