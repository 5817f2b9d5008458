"""What people read of a run: one HTML file that needs nothing else, and tables in the terminal."""

from .html import write_report
from .leaderboard import write_leaderboard
from .table import show_comparison, show_runs, show_summary

__all__ = ["show_comparison", "show_runs", "show_summary", "write_leaderboard", "write_report"]
