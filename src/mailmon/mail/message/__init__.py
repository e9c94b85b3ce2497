"""Messages: header sections, MIME parts, decoding, addresses, and the writer. Bytes in, values out."""
