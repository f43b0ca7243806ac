"""Gives what Python's own parser finds: one JSON line for each name read from standard input, null where it cannot."""
import ast
import json
import sys
import warnings

warnings.simplefilter("ignore")
WANTED = set(sys.argv[1].split())


def dotted(node):
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        of = dotted(node.value)
        return of and of + "." + node.attr
    return ""


def facts(name):
    try:
        tree = ast.parse(open(name, "rb").read())
    except (SyntaxError, ValueError):
        return None
    imports, calls = [], []
    for n in ast.walk(tree):
        if isinstance(n, ast.Import):
            imports += [a.name for a in n.names]
        elif isinstance(n, ast.ImportFrom):
            module = "." * n.level + (n.module or "")
            imports.append(module)
            imports += [module.removesuffix(".") + "." + a.name for a in n.names if a.name != "*"]
        elif isinstance(n, ast.Call) and dotted(n.func) in WANTED:
            calls.append(dotted(n.func))
    return {"imports": sorted(imports), "calls": sorted(calls)}


for line in sys.stdin:
    print(json.dumps(facts(line.rstrip("\n"))))
