"""Prints what Python's zipfile reads of a bundle: {name: {"mode": ..., "sha256": ...}} as JSON."""
import hashlib
import json
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as bundle:
    bad = bundle.testzip()
    if bad is not None:
        sys.exit("damaged: " + bad)
    json.dump({
        info.filename: {
            "mode": info.external_attr >> 16 & 0o777,
            "sha256": hashlib.sha256(bundle.read(info)).hexdigest(),
        }
        for info in bundle.infolist()
    }, sys.stdout)
