"""Opens a file with a mistake in a language server and prints its diagnostics."""

import json
import subprocess
import sys

TEXT = """func.func @f(%a: tensor<?x64xf32>, %b: tensor<?x32xf32>) {
  %0 = attn.score %a, %b : tensor<?x64xf32>, tensor<?x32xf32> -> tensor<?x?xf32>
  return
}
"""


def message(method, params, number=None):
    body = {"jsonrpc": "2.0", "method": method, "params": params}
    if number is not None:
        body["id"] = number
    data = json.dumps(body).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(data), data)


document = {
    "uri": "file:///mistake.mlir",
    "languageId": "mlir",
    "version": 1,
    "text": TEXT,
}
session = (
    message("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, 0)
    + message("textDocument/didOpen", {"textDocument": document})
    + message("shutdown", {}, 1)
    + message("exit", {})
)
result = subprocess.run([sys.argv[1]], input=session, stdout=subprocess.PIPE)
rest = result.stdout
while rest:
    header, _, rest = rest.partition(b"\r\n\r\n")
    length = int(header.rpartition(b":")[2])
    body, rest = json.loads(rest[:length]), rest[length:].lstrip()
    if body.get("method") == "textDocument/publishDiagnostics":
        for diagnostic in body["params"]["diagnostics"]:
            print(diagnostic["message"])
sys.exit(result.returncode)
