import { _t } from "@web/core/l10n/translation";
import { parseFloat } from "@web/views/fields/parsers";

/**
 * The form of a rule as the server sends it (`rules.risk.form`), and what the widgets need to know about it. Conditions
 * are `{kind: "all" | "any", parts}`, `{kind: "not", part}` and `{kind: "comparison", signal, operator, operand}`;
 * operands are `{kind: "value", value, unit}` with numbers as texts, `{kind: "signal", signal, factor}` and `{kind: "list", items}`.
 */
export const OPERATORS = {
    ">": _t("is more than"),
    ">=": _t("is at least"),
    "<": _t("is less than"),
    "<=": _t("is at most"),
    "=": _t("is"),
    "!=": _t("is not"),
    in: _t("is one of"),
    "not in": _t("is none of"),
    "is known": _t("is known"),
    "is missing": _t("is not known"),
};
const ORDERED = [">=", ">", "<=", "<", "=", "!=", "is known", "is missing"];
const LISTED = ["=", "!=", "in", "not in", "is known", "is missing"];
const FLAGGED = ["=", "is known", "is missing"];

export const GROUPS = {
    all: _t("All of these"),
    any: _t("At least one of these"),
    not: _t("None of these"),
};

export const STATES = {
    fired: { label: _t("fires"), color: "danger", icon: "fa-bell" },
    excluded: { label: _t("is excluded"), color: "info", icon: "fa-minus-circle" },
    quiet: { label: _t("stays quiet"), color: "success", icon: "fa-check" },
    undecided: { label: _t("cannot tell"), color: "warning", icon: "fa-question" },
    off: { label: _t("is switched off here"), color: "secondary", icon: "fa-power-off" },
    inactive: { label: _t("does not apply today"), color: "secondary", icon: "fa-calendar-o" },
};

export function isNumeric(signal) {
    return ["number", "money", "days", "percent"].includes(signal.type);
}

export function isPresence(operator) {
    return operator === "is known" || operator === "is missing";
}

export function operatorsOf(signal) {
    if (!signal) {
        return [];
    }
    return signal.type === "flag" ? FLAGGED : isNumeric(signal) ? ORDERED : LISTED;
}

/** What a right-hand side starts with, when the signal or the operator changes. */
export function defaultOperand(signal, operator) {
    if (isPresence(operator)) {
        return null;
    }
    if (operator === "in" || operator === "not in") {
        return { kind: "list", items: [] };
    }
    const value = signal.type === "flag" ? true : signal.type === "choice" ? signal.choices[0] : "";
    return { kind: "value", value, unit: unitOf(signal) };
}

/** What stands behind a number of this signal in a text. */
export function unitOf(signal) {
    return { days: "days", percent: "%" }[signal.type] || "";
}

export function newComparison(signal) {
    const operator = operatorsOf(signal)[0];
    return { kind: "comparison", signal: signal.key, operator, operand: defaultOperand(signal, operator) };
}

/** Whether two signals may be compared with each other. */
export function areComparable(signal, other) {
    return (
        other.key !== signal.key &&
        other.type === signal.type &&
        other.unit === signal.unit &&
        String(other.choices) === String(signal.choices)
    );
}

/** A number as people type it, in the one form that texts of rules have; what is no number stays as it is. */
export function plainNumber(typed) {
    const text = typed.trim();
    if (/^[-+]?\d[\d_]*(\.\d+)?$/.test(text)) {
        return text;
    }
    try {
        const number = parseFloat(text);
        return Math.abs(number) < 1e15 ? String(number) : text;
    } catch {
        return text;
    }
}
