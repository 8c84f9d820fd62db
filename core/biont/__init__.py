"""Biont Workbench: connects an AI to any system.

These are the public names; a plugin needs no others. They are imported when
they are first used, so that the command line starts at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from biont.cli.options import (
        config_option,
        parse_instant,
        read_database,
        read_plugin_settings,
        read_settings,
    )
    from biont.clock import Clock, SystemClock
    from biont.cron import CronExpression
    from biont.egress import EgressPolicy, EgressResponse, EgressSession
    from biont.event import Cause, Event, JsonObject, caused_by
    from biont.event_types import EventType
    from biont.events import EventSystem, on
    from biont.full_text import Part, quote_words, split_snippet
    from biont.hookspecs import hookimpl
    from biont.http.api import Api, Dialect
    from biont.http.cause import make_cause_headers
    from biont.http.paging import Cursor, Limit, Page, decode_cursor, make_page
    from biont.http.problem_details import ProblemDetails
    from biont.http.problems import describe_error
    from biont.http.request import Instant, Request, RowId
    from biont.keys import Scope, User
    from biont.lazy_model import LazyModel
    from biont.llm import (
        Answer,
        Backend,
        BackendFactory,
        ChatRequest,
        Chunk,
        Completion,
        DoneChunk,
        FinishReason,
        LlmCall,
        Message,
        ModelInfo,
        ResponseFormat,
        TextChunk,
        TokenUsage,
        ToolCall,
        ToolCallChunk,
        ToolDefinition,
        UsageChunk,
    )
    from biont.masking import mask_secrets
    from biont.ownership import OwnedTable
    from biont.scheduler import (
        CatchUp,
        Downtime,
        Finish,
        JobKind,
        OnCrash,
        Overlap,
        Preview,
        Run,
        RunStatus,
        Schedule,
        Scheduler,
        ScheduleRun,
        ScheduleState,
        SimulatedRun,
        Timing,
        TimingKind,
        Trigger,
        WallTime,
        get_run,
        plan_schedule,
        simulate,
    )
    from biont.services import Service
    from biont.settings import Section, Settings, load_settings
    from biont.store import (
        InstantField,
        Store,
        Table,
        Tables,
        Transaction,
        execute_sql,
        format_instant,
    )
    from biont.time_zones import TimeZone, parse_time_zone
    from biont.tools import (
        NoArguments,
        Tool,
        ToolContext,
        ToolResult,
        check_tool_names,
        make_tool,
    )
    from biont.vault import Vault
    from biont.workbench import Workbench, open_workbench

__all__ = [
    "Answer",
    "Api",
    "Backend",
    "BackendFactory",
    "CatchUp",
    "Cause",
    "ChatRequest",
    "Chunk",
    "Clock",
    "Completion",
    "CronExpression",
    "Cursor",
    "Dialect",
    "DoneChunk",
    "Downtime",
    "EgressPolicy",
    "EgressResponse",
    "EgressSession",
    "Event",
    "EventSystem",
    "EventType",
    "Finish",
    "FinishReason",
    "Instant",
    "InstantField",
    "JobKind",
    "JsonObject",
    "LazyModel",
    "Limit",
    "LlmCall",
    "Message",
    "ModelInfo",
    "NoArguments",
    "OnCrash",
    "Overlap",
    "OwnedTable",
    "Page",
    "Part",
    "Preview",
    "ProblemDetails",
    "Request",
    "ResponseFormat",
    "RowId",
    "Run",
    "RunStatus",
    "Schedule",
    "ScheduleRun",
    "ScheduleState",
    "Scheduler",
    "Scope",
    "Section",
    "Service",
    "Settings",
    "SimulatedRun",
    "Store",
    "SystemClock",
    "Table",
    "Tables",
    "TextChunk",
    "TimeZone",
    "Timing",
    "TimingKind",
    "TokenUsage",
    "Tool",
    "ToolCall",
    "ToolCallChunk",
    "ToolContext",
    "ToolDefinition",
    "ToolResult",
    "Transaction",
    "Trigger",
    "UsageChunk",
    "User",
    "Vault",
    "WallTime",
    "Workbench",
    "caused_by",
    "check_tool_names",
    "config_option",
    "decode_cursor",
    "describe_error",
    "execute_sql",
    "format_instant",
    "get_run",
    "hookimpl",
    "load_settings",
    "make_cause_headers",
    "make_page",
    "make_tool",
    "mask_secrets",
    "on",
    "open_workbench",
    "parse_instant",
    "parse_time_zone",
    "plan_schedule",
    "quote_words",
    "read_database",
    "read_plugin_settings",
    "read_settings",
    "simulate",
    "split_snippet",
]

_MODULES = {
    "cli.options": [
        *("config_option", "parse_instant", "read_database", "read_plugin_settings"),
        "read_settings",
    ],
    "clock": ["Clock", "SystemClock"],
    "cron": ["CronExpression"],
    "egress": ["EgressPolicy", "EgressResponse", "EgressSession"],
    "event": ["Cause", "Event", "JsonObject", "caused_by"],
    "event_types": ["EventType"],
    "events": ["EventSystem", "on"],
    "full_text": ["Part", "quote_words", "split_snippet"],
    "http.problem_details": ["ProblemDetails"],
    "http.problems": ["describe_error"],
    "hookspecs": ["hookimpl"],
    "http.api": ["Api", "Dialect"],
    "http.cause": ["make_cause_headers"],
    "http.paging": ["Cursor", "Limit", "Page", "decode_cursor", "make_page"],
    "http.request": ["Instant", "Request", "RowId"],
    "keys": ["Scope", "User"],
    "lazy_model": ["LazyModel"],
    "llm": [
        "Answer",
        "Backend",
        "BackendFactory",
        "ChatRequest",
        "Chunk",
        "Completion",
        "DoneChunk",
        "FinishReason",
        "LlmCall",
        "Message",
        "ModelInfo",
        "ResponseFormat",
        "TextChunk",
        "TokenUsage",
        "ToolCall",
        "ToolCallChunk",
        "ToolDefinition",
        "UsageChunk",
    ],
    "scheduler": [
        "CatchUp",
        "Downtime",
        "OnCrash",
        "Overlap",
        "Preview",
        "ScheduleState",
        "SimulatedRun",
        "Timing",
        "TimingKind",
        "Trigger",
        "WallTime",
        "get_run",
        "plan_schedule",
        "simulate",
        "Finish",
        "JobKind",
        "Run",
        "RunStatus",
        "Schedule",
        "ScheduleRun",
        "Scheduler",
    ],
    "masking": ["mask_secrets"],
    "ownership": ["OwnedTable"],
    "services": ["Service"],
    "settings": ["Section", "Settings", "load_settings"],
    "store": [
        *("InstantField", "Store", "Table", "Tables", "Transaction", "execute_sql"),
        "format_instant",
    ],
    "time_zones": ["TimeZone", "parse_time_zone"],
    "tools": [
        *("NoArguments", "Tool", "ToolContext", "ToolResult", "check_tool_names", "make_tool"),
    ],
    "vault": ["Vault"],
    "workbench": ["Workbench", "open_workbench"],
}


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"biont.{module}"), name)
    raise AttributeError(f"module 'biont' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
