/**
 * Statements that were prepared before: preparing costs as much as running. Bounded; whichever was not used for longest
 * goes first. Long texts, which are those of many rows and hardly come twice, are not kept.
 */

import type { Database, SQLQueryBindings, Statement } from "bun:sqlite";

const MAX_STATEMENTS = 300;
const MAX_TEXT_LENGTH = 4_000;

export type SqliteStatement = Statement<unknown, SQLQueryBindings[]>;

export class StatementCache {
  private readonly database: Database;
  /** In the order of their last use. */
  private readonly statements = new Map<string, SqliteStatement>();

  constructor(database: Database) {
    this.database = database;
  }

  get size(): number {
    return this.statements.size;
  }

  /** Gives the statement to `use`, which must be done with it when it returns. */
  with<T>(text: string, use: (statement: SqliteStatement) => T): T {
    if (text.length > MAX_TEXT_LENGTH) {
      using statement = this.prepare(text);
      return use(statement);
    }
    const statement = this.statements.get(text) ?? this.prepare(text);
    this.statements.delete(text);
    this.statements.set(text, statement);
    this.dropOldest();
    return use(statement);
  }

  close(): void {
    for (const statement of this.statements.values()) statement.finalize();
    this.statements.clear();
  }

  private prepare(text: string): SqliteStatement {
    return this.database.prepare<unknown, SQLQueryBindings[]>(text);
  }

  private dropOldest(): void {
    if (this.statements.size <= MAX_STATEMENTS) return;
    for (const [text, statement] of this.statements) {
      this.statements.delete(text);
      statement.finalize();
      return;
    }
  }
}
