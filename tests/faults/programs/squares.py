"""Three squares; the numbers stand in the script itself."""

import durably


@durably.task
def square(x):
    return x * x


print("RESULT", [square(x).result() for x in (2, 3, 4)])
