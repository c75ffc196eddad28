"""What is done to outputs in one breath."""


def put(output, index, data):
    """Write one whole item."""
    output.write(memoryview(data))
    output.commit(index)


def publish(output):
    """Complete an output, give it its name, and let go of it."""
    output.settle()
    output.publish()
    output.close()


def no_wait(descriptor):
    """For a reader that is never slow."""
    raise AssertionError("nobody is slow here")
