"""Messages: what they show of themselves."""

from pipeline.processes import messages


def test_secrets_are_in_no_representation():
    """Keys, URLs and headers do not get into a log by way of a repr."""
    fetch = messages.FetchSegment(
        0, 0, 0, 1, "http://host/?token", None, None, key=b"secret", iv=b"secret"
    )
    settings = ["http://secret@proxy", True, False, 1, 1, 1, False, None, False]
    context = messages.OpenContext(0, "http://h", [["A", "secret"]], False, None, *settings)
    document = messages.DocumentFetched(1, "http://host/?token", b"secret", None)

    for message in (fetch, context, document):
        assert "secret" not in repr(message)
        assert "token" not in repr(message)
