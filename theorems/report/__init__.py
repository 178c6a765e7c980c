"""The pages made of a ledger: formulas, figures, the page, the ledger as Markdown, and the errata."""
