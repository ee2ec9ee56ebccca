import { Component } from "@odoo/owl";
import { SelectMenu } from "@web/core/select_menu/select_menu";
import { ComparisonEditor } from "./condition_editor";
import { defaultOperand, OPERATORS, operatorsOf } from "./rule_form";

/** A decision table: a column for each signal, a row for each outcome, and what each cell asks for. */
export class RuleTable extends Component {
    static template = "credit_insurance.RuleTable";
    static components = { ComparisonEditor, SelectMenu };
    static props = { table: Object, editor: Object, severities: Array, actions: Array };

    signal(column) {
        return this.props.editor.signals[column.signal];
    }

    operators(column) {
        return operatorsOf(this.signal(column))
            .filter((value) => !value.startsWith("is "))
            .map((value) => ({ value, label: OPERATORS[value] }));
    }

    answer(index) {
        return this.props.editor.answerAt(`table.rows[${index}]`)?.answer;
    }

    get problems() {
        return this.props.editor.problems.filter(({ path }) => /^table(?!\.rows\[\d+\]\.cells)/.test(path));
    }

    get actionChoices() {
        return this.props.actions.map(({ key, label }) => ({ value: key, label }));
    }

    changed() {
        this.props.editor.changed();
    }

    setHit(hit) {
        this.props.table.hit = hit;
        this.changed();
    }

    // Columns

    newCell(column) {
        const operator = column.operator || operatorsOf(this.signal(column))[0];
        return { operator, operand: defaultOperand(this.signal(column), operator) };
    }

    setColumnSignal(index, key) {
        const column = this.props.table.inputs[index];
        column.signal = key;
        column.operator = operatorsOf(this.signal(column))[0];
        for (const row of this.props.table.rows) {
            row.cells[index] = row.cells[index] && this.newCell(column);
        }
        this.changed();
    }

    /** The cells that had the column's operator go along with it. */
    setColumnOperator(index, operator) {
        const column = this.props.table.inputs[index];
        for (const row of this.props.table.rows) {
            const cell = row.cells[index];
            if (cell && cell.operator === column.operator) {
                const isList = operator.endsWith("in");
                cell.operand = isList === cell.operator.endsWith("in") ? cell.operand : defaultOperand(this.signal(column), operator);
                cell.operator = operator;
            }
        }
        column.operator = operator;
        this.changed();
    }

    addColumn() {
        const { table, editor } = this.props;
        const used = table.inputs.map(({ signal }) => signal);
        const signal = Object.values(editor.signals).find(({ key }) => !used.includes(key));
        table.inputs.push({ signal: signal.key, operator: operatorsOf(signal)[0] });
        for (const row of table.rows) {
            row.cells.push(null);
        }
        this.changed();
    }

    removeColumn(index) {
        this.props.table.inputs.splice(index, 1);
        for (const row of this.props.table.rows) {
            row.cells.splice(index, 1);
        }
        this.changed();
    }

    // Rows

    addRow() {
        const { inputs, rows } = this.props.table;
        rows.push({ cells: inputs.map((column, index) => (index ? null : this.newCell(column))), severity: null, message: null, actions: null });
        this.changed();
    }

    removeRow(index) {
        this.props.table.rows.splice(index, 1);
        this.changed();
    }

    moveRow(index) {
        const [row] = this.props.table.rows.splice(index, 1);
        this.props.table.rows.splice(index - 1, 0, row);
        this.changed();
    }

    setCell(row, index, cell) {
        row.cells[index] = cell;
        this.changed();
    }

    set(row, name, value) {
        row[name] = value;
        this.changed();
    }
}
