"""Tables and verdicts."""


def table(title, head, rows):
    """Prints rows under a title, the first column to the left, the others to the right."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    print(f"\n{title}")
    for number, row in enumerate(cells):
        print("  " + "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]))
        if number == 0:
            print("  " + "  ".join("-" * width for width in widths))


class Goals:
    """What was to be reached, and whether it was."""

    def __init__(self):
        self.rows, self.missed = [], 0

    def add(self, what, found, goal, reached):
        """Keeps one line."""
        self.rows.append([what, found, goal, "yes" if reached else "NO"])
        self.missed += not reached

    def at_least(self, what, found, goal):
        """A ratio that should be large."""
        self.add(what, f"{found:.2f}", f">= {goal}", found >= goal)

    def at_most(self, what, found, goal):
        """A ratio or a quantity that should be small."""
        self.add(what, f"{found:.2f}", f"<= {goal}", found <= goal)

    def nothing_failed(self, loads):
        """A request that failed makes a fast run worthless."""
        failed = sum(load.failed for load in loads)
        self.add("requests that failed", str(failed), "0", failed == 0)

    def print(self):
        """The verdicts, if any were asked for."""
        if self.rows:
            table("Goals", ["", "found", "goal", "reached"], self.rows)
