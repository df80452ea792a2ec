"""The main job: problems stated once, solved by several solvers, compared on one page."""
