"""Tables and verdicts."""


def table(title, head, rows):
    """Prints a table with a title. Aligns the first column left, the others right."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    print(f"\n{title}")
    for number, row in enumerate(cells):
        print("  " + "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]))
        if number == 0:
            print("  " + "  ".join("-" * width for width in widths))


class Goals:
    """The goals, and whether they were reached."""

    def __init__(self):
        self.rows, self.missed = [], 0

    def add(self, what, found, goal, reached):
        """Adds one line."""
        self.rows.append([what, found, goal, "yes" if reached else "NO"])
        self.missed += not reached

    def at_least(self, what, found, goal):
        """A ratio that should be large."""
        self.add(what, f"{found:.2f}", f">= {goal}", found >= goal)

    def at_most(self, what, found, goal):
        """A ratio or a quantity that should be small."""
        self.add(what, f"{found:.2f}", f"<= {goal}", found <= goal)

    def nothing_failed(self, loads):
        """No request may fail: fast errors would make a run look good."""
        failed = sum(load.failed for load in loads)
        self.add("failed requests", str(failed), "0", failed == 0)

    def print(self):
        """Prints the table of goals, if there are any."""
        if self.rows:
            table("Goals", ["", "found", "goal", "reached"], self.rows)
