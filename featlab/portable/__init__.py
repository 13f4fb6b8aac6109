"""Networks that attack in a browser: gradients in JavaScript, packed weights, pages that need nothing else.

`packing` writes a classifier as layers with their numbers, `program` puts the modules of the folder
`javascript` into one text, `pages` makes files of both. `compiled` holds the one function in WebAssembly.
"""

from featlab.portable.pages import export_page

__all__ = ["export_page"]
