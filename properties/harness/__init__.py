"""The machine: it loads a target, holds statements to it, explains, reports and runs. It knows no operation."""
