(* ReLU over any ordered field; arctan, the logistic function, tanh, softplus, and softmax with
   cross-entropy over the reals: values and derivatives. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import boolp classical_sets functions reals topology normedtype sequences
  derive realfun exp trigo.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory numFieldNormedType.Exports.
Local Open Scope ring_scope.

Section Relu.
Variable R : realFieldType.
Implicit Types x t slope : R.

Definition relu x : R := if 0 < x then x else 0.
Definition relu_derivative x : R := if 0 < x then 1 else 0.

(* relu(x) - relu(-x) = x, and one of the two is 0. *)
Theorem relu_parts_its_argument x : relu x - relu (- x) = x /\ relu x * relu (- x) = 0.
Proof.
by rewrite /relu oppr_gt0; case: ltrgt0P => [||->]; rewrite ?(subr0, sub0r, opprK, mulr0, mul0r).
Qed.

(* On steps that go no further than to 0, ReLU's differences are its derivative times the step: 1
   above 0 and 0 below. (At t and -t they add up to central ones.) *)
Theorem relu_derivative_matches_differences x t :
  `|t| <= `|x| -> relu (x + t) - relu x = t * relu_derivative x.
Proof.
rewrite -[relu (x + t)]/(Num.max 0 _) /relu /relu_derivative.
case: ltP => [/gtr0_norm|/ler0_norm] ->; rewrite ler_norml => /andP[t_ge t_le].
  by rewrite max_r -?ler_subl_addl ?sub0r // addrAC subrr add0r mulr1.
by rewrite max_l -?ler_subr_addl ?sub0r // oppr0 mulr0.
Qed.

(* At 0 the subgradients are exactly the numbers in [0, 1]. *)
Theorem relu_derivative_at_zero_is_a_subgradient slope :
  (forall z, relu 0 + slope * (z - 0) <= relu z) <-> 0 <= slope <= 1.
Proof.
rewrite /relu ltxx; split=> [sub|/andP[slope_ge0 slope_le1] z].
  have := (sub 1, sub (- 1)).
  by rewrite ltr01 oppr_gt0 ltr10 !subr0 !add0r mulr1 mulrN1 oppr_le0 => -[-> ->].
rewrite add0r subr0; case: ltP => [z_gt0|z_le0]; first by rewrite ler_pimull // ltW.
exact: mulr_ge0_le0.
Qed.

End Relu.

Section Smooth.
Variable R : realType.
Implicit Types x : R.

Definition logistic x : R := (1 + expR (- x))^-1.
Definition tanh x : R := (expR x - expR (- x)) / (expR x + expR (- x)).
Definition softplus x : R := ln (1 + expR x).

(* arctan' = 1 / (1 + x^2). *)
Theorem arctan_derivative x : is_derive x 1 (@atan R) (1 + x ^+ 2)^-1.
Proof. exact: is_derive1_atan. Qed.

(* The quotient rule, with the derivative of f / g given as (f' - (f / g) g') / g. *)
Lemma is_derive_quotient (f g : R -> R) x df dg :
  is_derive x 1 f df -> is_derive x 1 g dg -> g x != 0 ->
  is_derive x 1 (fun y => f y / g y) (df / g x - f x / g x * (dg / g x)).
Proof.
move=> f_df g_dg gx_neq0; apply: is_derive_eq (is_deriveM f_df (is_deriveV gx_neq0 g_dg)) _.
by rewrite /GRing.scale /= addrC mulNr mulrN expr2 invfM (mulrC dg) (mulrC df) !mulrA.
Qed.

(* s(-x) = exp(-x) s(x). *)
Lemma logisticN x : logistic (- x) = expR (- x) * logistic x.
Proof. by rewrite /logistic opprK expRN -invfM mulrDr mulr1 divff ?gt_eqF ?expR_gt0 // addrC. Qed.

(* The logistic function's derivative is s(x) s(-x), which is s(x) (1 - s(x)). *)
Theorem logistic_derivative x :
  is_derive x 1 logistic (logistic x * logistic (- x)) /\ logistic (- x) = 1 - logistic x.
Proof.
have den_neq0 : 1 + expR (- x) != 0 by rewrite lt0r_neq0 ?addr_gt0 ?ltr01 ?expR_gt0.
rewrite logisticN; split.
  rewrite -[logistic]/(fun y => ((cst 1 + (expR \o -%R)) y)^-1).
  by apply: is_derive_eq; rewrite /GRing.scale /= add0r mulrN1 mulrNN mulrCA -invfM -expr2 mulrC.
by rewrite -[1 in RHS](divff den_neq0) mulrDl mul1r addrC addKr.
Qed.

(* tanh' = 1 - tanh^2. *)
Theorem tanh_derivative x : is_derive x 1 tanh (1 - tanh x ^+ 2).
Proof.
have den_neq0 : expR x + expR (- x) != 0 by rewrite lt0r_neq0 ?addr_gt0 ?expR_gt0.
have dN := is_derive1_comp (is_derive_expR (- x)) (is_deriveNid x 1).
have := is_derive_quotient (is_deriveB (is_derive_expR x) dN)
  (is_deriveD (is_derive_expR x) dN) den_neq0.
by rewrite mulrN1 opprK divff // expr2.
Qed.

(* softplus' is the logistic function. *)
Theorem softplus_derivative x : is_derive x 1 softplus (logistic x).
Proof.
have pos : 0 < (cst 1 + @expR R) x by rewrite /= addr_gt0 ?ltr01 ?expR_gt0.
rewrite -[softplus]/(@ln R \o (cst 1 + @expR R)).
apply: is_derive_eq (is_derive1_comp (is_derive1_ln pos) _) _.
by rewrite add0r -[x in RHS]opprK logisticN opprK /logistic opprK mulrC.
Qed.

(* arctan and tanh are odd, s(-x) = 1 - s(x), softplus(-x) = softplus(x) - x; they keep to
   (-pi/2, pi/2), (-1, 1), (0, 1) and the positive numbers. *)
Theorem smooth_activation_is_symmetric_and_bounded x :
  [/\ atan (- x) = - atan x, tanh (- x) = - tanh x, logistic (- x) = 1 - logistic x
    & softplus (- x) = softplus x - x]
  /\ [/\ `|atan x| < pi / 2%:R, `|tanh x| < 1, 0 < logistic x < 1 & 0 < softplus x].
Proof.
have [_ sN] := logistic_derivative x.
have e_gt0 y : 0 < expR y :> R by apply: expR_gt0.
have s_gt0 y : 0 < logistic y by rewrite invr_gt0 addr_gt0 ?ltr01 ?expR_gt0.
split; split=> //.
- exact: atanN.
- by rewrite /tanh opprK -mulNr opprB; congr (_ / _); apply: addrC.
- rewrite /softplus (_ : 1 + expR (- x) = expR (- x) * (1 + expR x)); last first.
    by rewrite mulrDr mulr1 -expRD addNr expR0 addrC.
  by rewrite lnM ?posrE ?addr_gt0 ?ltr01 // expK addrC.
- by rewrite ltr_norml atan_gtNpi2 atan_ltpi2.
- rewrite ltr_norml ltr_pdivl_mulr ?addr_gt0 // ltr_pdivr_mulr ?addr_gt0 // mulN1r mul1r.
  by rewrite opprD ltr_add2r ltr_add2l (lt_trans _ (e_gt0 x)) ?oppr_lt0 //
    (lt_trans _ (e_gt0 (- x))) ?oppr_lt0.
- by rewrite s_gt0 -subr_gt0 -sN s_gt0.
by rewrite ln_gt0 // ltr_addl.
Qed.

End Smooth.

Section Softmax.
Variables (R : realType) (I : finType).
Implicit Types (z v label : I -> R) (c : R) (i : I).

Definition softmax z i : R := expR (z i) / \sum_j expR (z j).
Definition cross_entropy label z : R := - \sum_i label i * ln (softmax z i).

(* A constant added to all logits changes nothing. *)
Theorem softmax_is_shift_invariant z c : softmax (fun i => z i + c) =1 softmax z.
Proof.
move=> i; rewrite /softmax expRD; under eq_bigr do rewrite expRD.
by rewrite -mulr_suml -mulf_div divff ?mulr1 // gt_eqF ?expR_gt0.
Qed.

(* A finite sum is differentiated term by term. *)
Lemma is_derive_bigsum (h : I -> R -> R) x (dh : I -> R) :
  (forall i, is_derive x 1 (h i) (dh i)) ->
  is_derive x 1 (fun y => \sum_i h i y) (\sum_i dh i).
Proof.
move=> h_dh; have <- : \sum_i h i = fun y => \sum_i h i y by apply/funext => y; exact: fct_sumE.
by apply: (big_ind2 (is_derive x 1)).
Qed.

(* The sum of exponentials is positive, given an index. *)
Lemma sum_expR_gt0 z i : 0 < \sum_j expR (z j).
Proof. by rewrite (bigD1 i) //= ltr_paddr ?expR_gt0 ?sumr_ge0 // => j _; exact/ltW/expR_gt0. Qed.

(* The line through z along v is z at 0. *)
Lemma line_at_zero z v : (fun j => z j + 0 * v j) = z.
Proof. by apply/funext => j; rewrite mul0r addr0. Qed.

(* Along v, softmax moves by p[i] (v[i] - sum of p[j] v[j]). *)
Theorem softmax_derivative z v i :
  is_derive (0 : R) (1 : R) (fun t : R => softmax (fun j => z j + t * v j) i)
    (softmax z i * (v i - \sum_j softmax z j * v j)).
Proof.
have e_v j : is_derive (0 : R) 1 (fun t => expR (z j + t * v j)) (expR (z j + 0 * v j) * v j).
  apply: is_derive_eq (is_derive1_comp (is_derive_expR _) (is_deriveD (is_derive_cst (z j) _ _)
    (is_deriveM (is_derive_id _ _) (is_derive_cst (v j) _ _)))) _.
  by rewrite scaler0 !add0r [_%:A]mulr1.
have sum_neq0 := lt0r_neq0 (sum_expR_gt0 (fun j => z j + 0 * v j) i).
apply: is_derive_eq (is_derive_quotient (e_v i) (is_derive_bigsum e_v) sum_neq0) _.
rewrite -[z in RHS](line_at_zero z v) mulrBr [in LHS]mulrAC mulr_suml; congr (_ - _ * _).
by apply: eq_bigr => j _; rewrite mulrAC.
Qed.

(* Softmax is positive. *)
Lemma softmax_gt0 z i : 0 < softmax z i.
Proof. by rewrite divr_gt0 ?expR_gt0 ?(sum_expR_gt0 z i). Qed.

(* For labels of sum 1, cross-entropy of softmax moves by the sum of (p[i] - label[i]) v[i]: its
   gradient is p - label. *)
Theorem cross_entropy_gradient label z v :
  \sum_i label i = 1 ->
  is_derive (0 : R) (1 : R) (fun t : R => cross_entropy label (fun j => z j + t * v j))
    (\sum_i (softmax z i - label i) * v i).
Proof.
move=> label1.
have ln_v i : is_derive (0 : R) 1 (fun t => ln (softmax (fun j => z j + t * v j) i))
    (v i - \sum_j softmax z j * v j).
  apply: is_derive_eq (is_derive1_comp (is_derive1_ln _) (softmax_derivative z v i)) _.
    exact: softmax_gt0.
  by rewrite line_at_zero mulKf // gt_eqF ?softmax_gt0.
apply: is_derive_eq (is_deriveN (is_derive_bigsum (fun i => is_deriveZ (label i) (ln_v i)))) _.
under eq_bigr do rewrite scalerBr; under [RHS]eq_bigr do rewrite mulrBl.
by rewrite !sumrB -scaler_suml label1 scale1r opprB.
Qed.

End Softmax.
