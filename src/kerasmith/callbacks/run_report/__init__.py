"""The run directory: history, summary, model and a page to look at."""

from kerasmith.callbacks.run_report.history_csv import HistoryCSV
from kerasmith.callbacks.run_report.report_page import ReportPage
from kerasmith.callbacks.run_report.run_report import RunReport
from kerasmith.callbacks.run_report.summary_file import SummaryFile

__all__ = ["HistoryCSV", "ReportPage", "RunReport", "SummaryFile"]
