// Prints what yauzl, the strict reader of desktop apps, reads of a bundle: {name: {mode, sha256}} as JSON.
// Use: node read.cjs MODULES BUNDLE
const { createHash } = require('node:crypto');
const [, , modules, bundle] = process.argv;
const yauzl = require(`${modules}/yauzl`);

const digest = (zip, entry) => new Promise((resolve, reject) => {
  zip.openReadStream(entry, (err, stream) => {
    if (err) return reject(err);
    const hash = createHash('sha256');
    stream.on('error', reject).on('end', () => resolve(hash.digest('hex'))).on('data', (chunk) => hash.update(chunk));
  });
});

const options = { lazyEntries: true, strictFileNames: true, validateEntrySizes: true };
yauzl.open(bundle, options, (err, zip) => {
  if (err) throw err;
  const files = {};
  zip.on('error', (e) => { throw e; });
  zip.on('entry', async (entry) => {
    files[entry.fileName] = { mode: (entry.externalFileAttributes >>> 16) & 0o777, sha256: await digest(zip, entry) };
    zip.readEntry();
  });
  zip.on('end', () => process.stdout.write(JSON.stringify(files)));
  zip.readEntry();
});
