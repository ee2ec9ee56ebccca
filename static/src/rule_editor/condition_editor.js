import { Component } from "@odoo/owl";
import { SelectMenu } from "@web/core/select_menu/select_menu";
import { _t } from "@web/core/l10n/translation";
import {
    areComparable,
    defaultOperand,
    GROUPS,
    isNumeric,
    isPresence,
    newComparison,
    OPERATORS,
    operatorsOf,
    plainNumber,
} from "./rule_form";

const ANSWERS = {
    yes: { icon: "fa-check-circle", color: "success", label: _t("This holds") },
    no: { icon: "fa-times-circle", color: "danger", label: _t("This does not hold") },
    missing: { icon: "fa-question-circle", color: "muted", label: _t("A value is not known") },
};

/** An exclusion that does not hold is nothing to worry about. */
const EXCLUSION_ANSWERS = {
    ...ANSWERS,
    yes: { icon: "fa-minus-circle", color: "info", label: _t("This holds and keeps the rule silent") },
    no: { icon: "fa-circle-o", color: "muted", label: _t("This does not hold") },
};

function lookOf(answer, path) {
    return answer && (path.startsWith("unless") ? EXCLUSION_ANSWERS : ANSWERS)[answer.answer];
}

/** One line: signal, operator, and what it is compared with. */
export class ComparisonEditor extends Component {
    static template = "credit_insurance.ComparisonEditor";
    static components = { SelectMenu };
    // With `column` it is a cell of a decision table, whose signal stands in the head of the column.
    static props = { node: Object, path: String, editor: Object, remove: Function, column: { type: Object, optional: true } };

    get signal() {
        return this.props.editor.signals[(this.props.column || this.props.node).signal];
    }

    get answer() {
        return this.props.editor.answerAt(this.props.path);
    }

    get answerLook() {
        return lookOf(this.answer, this.props.path);
    }

    get problems() {
        return this.props.editor.problemsAt(this.props.path);
    }

    get signalName() {
        return this.signal?.label || this.props.node.signal;
    }

    get operators() {
        const known = operatorsOf(this.signal);
        const own = this.props.node.operator;
        return (known.includes(own) ? known : [...known, own]).map((value) => ({ value, label: OPERATORS[value] }));
    }

    get operand() {
        return this.props.node.operand;
    }

    get kind() {
        return isPresence(this.props.node.operator) ? "none" : this.operand?.kind || "none";
    }

    get isNumeric() {
        return this.signal && isNumeric(this.signal);
    }

    get unit() {
        return this.signal?.type === "money" ? this.props.editor.currency : this.signal?.unit || "";
    }

    /** Comparing with another signal makes sense only where there is one of the same kind. */
    get otherGroups() {
        return this.props.editor.groups
            .map(({ label, choices }) => ({
                label,
                choices: choices.filter(({ value }) => areComparable(this.signal, this.props.editor.signals[value])),
            }))
            .filter(({ choices }) => choices.length);
    }

    /** A cell shows its operator only where it is not the one in the head of the column. */
    get showsOperator() {
        return !this.props.column || this.props.node.operator !== this.props.column.operator;
    }

    get canRefer() {
        if (this.props.column && this.kind !== "signal") {
            return false;
        }
        return this.isNumeric && this.kind !== "none" && this.otherGroups.length > 0;
    }

    get otherName() {
        return this.props.editor.signals[this.operand.signal]?.label || this.operand.signal;
    }

    get choices() {
        return (this.signal?.choices || []).map((value) => ({
            value,
            label: this.props.editor.choiceLabel(value),
        }));
    }

    get listValues() {
        return this.operand.items.map((item) => String(item.value));
    }

    // Changes

    changed() {
        this.props.editor.changed();
    }

    setSignal(key) {
        const { node, editor } = this.props;
        const before = this.signal;
        node.signal = key;
        const fits = before && before.type === this.signal.type && before.unit === this.signal.unit && !this.signal.choices.length;
        if (!fits || this.kind === "signal") {
            Object.assign(node, { ...newComparison(editor.signals[key]) });
        }
        this.changed();
    }

    setOperator(operator) {
        const { node } = this.props;
        const wasList = ["in", "not in"].includes(node.operator);
        const isList = ["in", "not in"].includes(operator);
        const value = this.operand?.kind === "value" ? this.operand.value : this.operand?.items?.[0]?.value;
        node.operator = operator;
        if (isPresence(operator) || wasList !== isList || !node.operand) {
            node.operand = defaultOperand(this.signal, operator);
            if (value !== undefined && value !== "" && node.operand?.kind === "value") {
                node.operand.value = value;
            } else if (value !== undefined && value !== "" && node.operand?.kind === "list") {
                node.operand.items = [{ kind: "value", value }];
            }
        }
        this.changed();
    }

    setKind(kind) {
        const { node } = this.props;
        if (kind === "signal") {
            node.operand = { kind, signal: this.otherGroups[0].choices[0].value, factor: "1" };
        } else {
            node.operand = defaultOperand(this.signal, node.operator);
        }
        this.changed();
    }

    setValue(value) {
        this.operand.value = this.isNumeric ? plainNumber(value) : value;
        delete this.operand.type;
        this.changed();
    }

    setFlag(value) {
        this.operand.value = value === "yes";
        delete this.operand.type;
        this.changed();
    }

    setFactor(value) {
        this.operand.factor = plainNumber(value || "1");
        this.changed();
    }

    setOther(key) {
        this.operand.signal = key;
        this.changed();
    }

    setList(values) {
        this.operand.items = values.map((value) => ({ kind: "value", value }));
        this.changed();
    }

    setTypedList(text) {
        this.setList(text.split(",").map((part) => part.trim()).filter(Boolean));
    }
}

/** A group of conditions, or one of them; it draws itself for the parts of a group. */
export class ConditionEditor extends Component {
    static template = "credit_insurance.ConditionEditor";
    static components = { ComparisonEditor, ConditionEditor };
    static props = { node: Object, path: String, editor: Object, remove: Function, replace: Function, isRoot: { type: Boolean, optional: true } };

    setup() {
        this.groupLabels = GROUPS;
    }

    get isGroup() {
        return this.props.node.kind !== "comparison";
    }

    /** "None of these" is written as not any. */
    get kind() {
        return this.props.node.kind;
    }

    get group() {
        const { node } = this.props;
        return node.kind === "not" && node.part.kind === "any" ? node.part : node;
    }

    get groupPath() {
        return this.group === this.props.node ? this.props.path : `${this.props.path}.not`;
    }

    get parts() {
        const group = this.group;
        if (group.kind === "not") {
            return [{ node: group.part, path: `${this.groupPath}.not`, index: 0 }];
        }
        return group.parts.map((node, index) => ({ node, path: `${this.groupPath}.${group.kind}[${index}]`, index }));
    }

    get answer() {
        return this.props.editor.answerAt(this.props.path);
    }

    get answerLook() {
        return lookOf(this.answer, this.props.path);
    }

    get problems() {
        const { editor, path } = this.props;
        const own = [path, this.groupPath, `${this.groupPath}.${this.group.kind}`];
        return editor.problems.filter((problem) => own.includes(problem.path));
    }

    changed() {
        this.props.editor.changed();
    }

    setKind(kind) {
        const parts = this.group.kind === "not" ? [this.group.part] : this.group.parts;
        const node = kind === "not" ? { kind: "not", part: { kind: "any", parts } } : { kind, parts };
        this.props.replace(node);
        this.changed();
    }

    /** Turn a single comparison, or a bare not, into a group that can take more. */
    get asGroup() {
        if (this.group.kind === "all" || this.group.kind === "any") {
            return this.group;
        }
        const node = { kind: "all", parts: [this.props.node] };
        this.props.replace(node);
        return node;
    }

    addComparison() {
        const { editor } = this.props;
        this.asGroup.parts.push(newComparison(editor.firstSignal));
        this.changed();
    }

    addGroup() {
        const { editor } = this.props;
        const group = this.asGroup;
        group.parts.push({ kind: group.kind === "all" ? "any" : "all", parts: [newComparison(editor.firstSignal)] });
        this.changed();
    }

    removePart(index) {
        const group = this.group;
        if (group.kind === "not" || (group.parts.length === 1 && !this.props.isRoot)) {
            return this.props.remove();
        }
        group.parts.splice(index, 1);
        this.changed();
    }

    replacePart(index, node) {
        if (this.group.kind === "not") {
            this.group.part = node;
        } else {
            this.group.parts[index] = node;
        }
        this.changed();
    }
}
