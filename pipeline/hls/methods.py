"""What the values of METHOD in EXT-X-KEY mean for whoever decrypts (RFC 8216 section 4.3.2.4)."""

#: Methods that encrypt an item as a whole: one CBC message with PKCS7 padding.
WHOLE_ITEM_METHODS = frozenset({"AES-128", "AES-256"})

#: Methods that encrypt samples inside an item: its container has to be understood.
SAMPLE_METHODS = frozenset({"SAMPLE-AES", "SAMPLE-AES-CTR"})
