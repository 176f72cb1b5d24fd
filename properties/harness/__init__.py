"""The machine: it loads a target, holds statements to it, explains, reports and runs, and knows no operation by name."""
