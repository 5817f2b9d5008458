"""What people read of a run: one HTML file that needs nothing else, and tables in the terminal."""

from .html import write_report
from .table import show_comparison, show_runs, show_summary

__all__ = ["show_comparison", "show_runs", "show_summary", "write_report"]
