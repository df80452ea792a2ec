"""One job on many processes: rank 0 runs the program, the others hold a share of the rows and serve it."""

from sciml.distributed.crew import Crew, Remote, present_crew, run

__all__ = ["Crew", "Remote", "present_crew", "run"]
