(* The network, convolution, ReLU, max pooling, dense layer, arctan, half the squared error, off its
   kinks: the chain rule's gradients, and what the cost does on a step against them. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import boolp classical_sets reals topology normedtype sequences derive
  realfun exp trigo nsatz_realtype.
From backproof Require convolution.
From backproof Require Import pooling activations.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory numFieldNormedType.Exports.
Local Open Scope ring_scope.

(* Equalities of polynomials, by Coq's nsatz. *)
Ltac algebra := rewrite /GRing.scale /= -?[2%:R]/(1 + 1) ?expr2; nsatz.

Section Loss.
Variable R : realType.
Implicit Types x y s b c t u goal r res : R.

(* An image's weighted sum u = s + t b + t^2 c after a step t, half the squared error at u, and its
   first and second derivative in u. *)
Definition quadratic s b c t : R := s + t * b + t ^+ 2 * c.
Definition loss goal u : R := (atan u - goal) ^+ 2 / 2%:R.
Definition slope goal u : R := (atan u - goal) / (1 + u ^+ 2).
Definition bend goal u : R :=
  (1 + u ^+ 2) ^- 2 - (atan u - goal) * (2%:R * u / (1 + u ^+ 2) ^+ 2).

(* 1 + u^2 is positive. *)
Lemma square1_gt0 u : 0 < 1 + u ^+ 2.
Proof. by rewrite ltr_spaddl ?ltr01 ?sqr_ge0. Qed.

(* A quadratic's derivative. *)
Lemma quadratic_derivative s b c t : is_derive t 1 (quadratic s b c) (b + t * 2%:R * c).
Proof. by apply: trigger_derive; algebra. Qed.

(* A quadratic's value at 0. *)
Lemma quadratic0 s b c : quadratic s b c 0 = s.
Proof. by rewrite /quadratic expr0n !mul0r !addr0. Qed.

(* The loss's first derivative is [slope] ... *)
Lemma loss_derivative goal u : is_derive u 1 (loss goal) (slope goal u).
Proof.
apply: trigger_derive; rewrite /slope /GRing.scale /=.
by rewrite mulr0 add0r subr0 -mulr2n -[X in _ * X]mulr_natl mulKf ?pnatr_eq0.
Qed.

(* ... and its second is [bend]. *)
Lemma slope_derivative goal u : is_derive u 1 (slope goal) (bend goal u).
Proof.
have nonzero : 1 + u ^+ 2 != 0 by rewrite gt_eqF ?square1_gt0.
apply: trigger_derive; rewrite /bend /GRing.scale /= subr0 add0r mulr1 -exprVn.
by set i := (1 + _)^-1; algebra.
Qed.

(* arctan's first derivative is at most 1 ... *)
Lemma inverse_le1 u : `|(1 + u ^+ 2)^-1| <= 1.
Proof. by rewrite normfV gtr0_norm ?invf_le1 ?square1_gt0 // ler_addl sqr_ge0. Qed.

(* ... and its second at most 0.65. *)
Lemma peak u : `|2%:R * u / (1 + u ^+ 2) ^+ 2| <= 65%:R / 100%:R.
Proof.
rewrite normrM normfV normrX normrM normr_nat (gtr0_norm (square1_gt0 u)).
rewrite ler_pdivr_mulr ?exprn_gt0 ?square1_gt0 // -subr_ge0 -(real_normK (num_real u)).
have -> : 65%:R / 100%:R = 13%:R / 20%:R :> R.
  by apply/eqP; rewrite eqr_div ?pnatr_eq0 // -!natrM.
set w := `|u|; set p := 13%:R / 20%:R.
have p_gt0 : 0 < 9%:R * 8%:R * p by rewrite !(divr_gt0, mulr_gt0, ltr0n).
rewrite -(pmulr_rge0 _ p_gt0).
have -> : 9%:R * 8%:R * p * (p * (1 + w ^+ 2) ^+ 2 - 2%:R * w)
  = 8%:R * (p * (3%:R * w ^+ 2 - 1)) ^+ 2 + 3%:R * (8%:R * p * w - 3%:R) ^+ 2
    + ((8%:R * p) ^+ 2 - 27%:R).
  by rewrite !mulrS mulr0n !expr2; nsatz.
suff p_big : 0 <= (8%:R * p) ^+ 2 - 27%:R by rewrite ?(p_big, sqr_ge0, ler0n, mulr_ge0, addr_ge0).
by rewrite subr_ge0 mulrA expr_div_n ler_pdivl_mulr ?exprn_gt0 ?ltr0n // -!(natrX, natrM) ler_nat.
Qed.

(* A bound on the residual bounds the first derivative ... *)
Lemma slope_bound goal u res : `|atan u - goal| <= res -> `|slope goal u| <= res.
Proof. by move=> res_max; rewrite normrM -[res]mulr1 ler_pmul // inverse_le1. Qed.

(* ... and the second. *)
Lemma bend_bound goal u res :
  `|atan u - goal| <= res -> `|bend goal u| <= 1 + 65%:R / 100%:R * res.
Proof.
move=> res_max; rewrite (le_trans (ler_norm_sub _ _)) // ler_add //.
  by rewrite -exprVn normrX exprn_ile1 // inverse_le1.
by rewrite normrM mulrC ler_pmul // peak.
Qed.

(* The mean value theorem, for what is derivable everywhere. *)
Lemma mean_value (f df : R -> R) x y : x < y -> (forall t, is_derive t 1 f (df t)) ->
  exists2 t, x < t < y & f y - f x = df t * (y - x).
Proof.
move=> xy fD; apply: MVT => //; apply/continuous_subspaceT => t.
exact/differentiable_continuous/derivable1_diffP.
Qed.

(* arctan brings no two numbers further apart. *)
Lemma atan_contracts x y : `|atan x - atan y| <= `|x - y|.
Proof.
wlog xy : x y / x < y => [lt_case|].
  by have [/lt_case|/lt_case|->] := ltgtP x y; rewrite ?subrr // distrC (distrC x).
have [t _ mean] := mean_value xy (@arctan_derivative R).
by rewrite distrC mean (distrC x) normrM ler_pimull // inverse_le1.
Qed.

(* The two bounds on the residual, on a step up to r. *)
Lemma residual_bound goal s b c r t : `|t| <= r -> `|atan (quadratic s b c t) - goal|
  <= Num.min (`|atan s - goal| + `|b| * r + `|c| * r ^+ 2) (`|goal| + pi / 2%:R).
Proof.
move=> t_max; rewrite le_minr; apply/andP; split; last first.
  have [_ [/ltW u_max _ _ _]] :=
    smooth_activation_is_symmetric_and_bounded (quadratic s b c t).
  by rewrite [leRHS]addrC (le_trans (ler_norm_sub _ _)) // ler_add.
rewrite -addrA [leRHS]addrC (le_trans (ler_dist_add (atan s) _ _)) // ler_add //.
rewrite (le_trans (atan_contracts _ _)) // /quadratic -(addrA s) (addrC s) addrK.
rewrite (le_trans (ler_norm_add _ _)) // !(normrX, normrM) mulrC (mulrC (_ ^+ 2)).
by rewrite ler_add // ler_wpmul2l // ler_expn2r ?nnegrE // (le_trans _ t_max).
Qed.

(* Taylor's formula to the first order, with a bound on the second derivative. *)
Lemma taylor (f f1 f2 : R -> R) r (C : R) :
  (forall t, is_derive t 1 f (f1 t)) -> (forall t, is_derive t 1 f1 (f2 t)) -> 0 <= r ->
  (forall t, `|t| <= r -> `|f2 t| <= C) ->
  `|f (- r) - f 0 + r * f1 0| <= r ^+ 2 / 2%:R * C.
Proof.
move=> fD f1D; rewrite le_eqVlt => /predU1P [<- _|r_gt0 C_max].
  by rewrite oppr0 subrr !mul0r addr0 normr0 expr0n !mul0r.
set e := f (- r) - f 0 + r * f1 0; set k := r ^+ 2 / 2%:R.
have k_ge0 : 0 <= k by rewrite divr_ge0 ?sqr_ge0 ?ler0n.
have rr : r ^+ 2 = k * 2%:R by rewrite divfK ?pnatr_eq0.
pose g t := k * 2%:R * (f (- r) - f t + (t + r) * f1 t) - e * (t + r) ^+ 2.
have gD t : is_derive t 1 g (2%:R * (t + r) * (k * f2 t - e)).
  by rewrite /g; apply: trigger_derive; algebra.
have [|t /andP [rt t0]] := @mean_value g _ (- r) 0 _ gD; first by rewrite oppr_lt0.
have -> : g 0 - g (- r) = 0 by rewrite /g -rr /e; algebra.
move/esym/eqP; rewrite -{1}[r]opprK !mulf_eq0 !subr_eq0 pnatr_eq0 (gt_eqF rt)
  (gt_eqF (lt_trans rt t0)) orbF.
move=> /eqP <-; rewrite normrM ger0_norm // ler_wpmul2l // C_max //.
by rewrite ler_norml !ltW // (lt_trans t0).
Qed.

(* What the loss does on a step along a quadratic. *)
Lemma loss_falls goal s b c r res :
  0 <= r -> (forall t, `|t| <= r -> `|atan (quadratic s b c t) - goal| <= res) ->
  `|loss goal (quadratic s b c (- r)) - loss goal s + r * (slope goal s * b)|
  <= r ^+ 2 / 2%:R * ((1 + 65%:R / 100%:R * res) * (`|b| + 2%:R * r * `|c|) ^+ 2
                      + 2%:R * res * `|c|).
Proof.
move=> r_ge0 res_max; pose u := quadratic s b c; pose v t := b + t * 2%:R * c.
pose f1 t := slope goal (u t) * v t.
pose f2 t := bend goal (u t) * v t ^+ 2 + 2%:R * slope goal (u t) * c.
have uD t : is_derive t 1 u (v t) := quadratic_derivative s b c t.
have fD t : is_derive t 1 (loss goal \o u) (f1 t) := is_derive1_comp (loss_derivative _ _) (uD t).
have f1D t : is_derive t 1 f1 (f2 t).
  have vD : is_derive t 1 v (2%:R * c) by rewrite /v; apply: trigger_derive; algebra.
  apply: is_derive_eq (is_deriveM (is_derive1_comp (slope_derivative goal _) (uD t)) vD) _.
  by rewrite /f2; algebra.
have := taylor fD f1D r_ge0 _; rewrite /f1 /v /u /= quadratic0 !mul0r addr0; apply=> t t_max.
rewrite (le_trans (ler_norm_add _ _)) // ler_add //.
  rewrite normrM ler_pmul ?bend_bound ?res_max // normrX.
  rewrite ler_expn2r ?nnegrE ?addr_ge0 ?mulr_ge0 ?ler0n // (le_trans (ler_norm_add _ _)) //.
  by rewrite ler_add // 2!normrM normr_nat (mulrC `|t|) ler_wpmul2r // ler_wpmul2l ?ler0n.
rewrite (normrM _ c) (normrM 2%:R) normr_nat ler_wpmul2r // ler_wpmul2l ?ler0n //.
by rewrite slope_bound ?res_max.
Qed.

End Loss.

(* ReLU is monotone, and least at what is not positive. *)
Lemma relu_le (R : realFieldType) (x y : R) : x <= y \/ x <= 0 -> relu x <= relu y.
Proof.
rewrite -[relu x]/(Num.max 0 x) -[relu y]/(Num.max 0 y) le_maxl !le_maxr lexx.
by case=> ->; rewrite ?orbT.
Qed.

(* A small enough step keeps the order of two numbers ... *)
Lemma stays_below (R : realFieldType) (x y p q t : R) :
  `|t| * `|q - p| <= y - x -> x + t * p <= y + t * q.
Proof.
move=> small; rewrite -subr_ge0 opprD addrACA -mulrBr -ler_subl_addr sub0r.
by rewrite (le_trans (ler_norm _)) // normrN normrM.
Qed.

(* ... and all steps near 0 are. *)
Lemma near_le (R : realType) (x y p q : R) :
  x < y -> \forall t \near (0 : R), x + t * p <= y + t * q.
Proof.
rewrite -subr_gt0 => gap.
have pos : 0 < 1 + `|q - p| by rewrite ltr_spaddl ?ltr01.
apply: filterS (@nbhs0_le _ [normedModType R of R^o] _ (divr_gt0 gap pos)) => t /=.
rewrite ler_pdivl_mulr // => small; apply/stays_below/(le_trans _ small).
by rewrite ler_wpmul2l // ler_addr.
Qed.

(* Functions equal near 0 have the same derivative there. *)
Lemma is_derive_near (R : realType) (f g : R -> R) d : {near (0 : R), f =1 g} ->
  is_derive (0 : R) (1 : R) f d -> is_derive (0 : R) (1 : R) g d.
Proof.
move=> fg [fD fd]; have fg0 : f 0 = g 0 by exact: (nbhs_singleton fg).
suff gD : (h^-1 *: ((g \o shift 0) h%:A - g 0) @[h --> 0^'] --> d)%classic.
  by split; [apply/cvg_ex; exists d | exact: cvg_lim].
rewrite -fd; apply: cvg_trans fD; apply: near_eq_cvg; apply: nbhs_dnbhs.
by apply: filterS fg => h fgh; rewrite /= fg0 !addr0 [_%:A]mulr1 fgh.
Qed.

Section Network.
Variable R : realType.
(* Images, pooled entries (of all filters), the places of a window, the kernel's entries (of all
   filters and channels). *)
Variables (N O V A : finType) (v0 : V).
(* The image's entry that meets the kernel's entry a at place v of window o, or 0: it says all of
   the convolution (flips, stride, padding, channels) and of the windows. *)
Variable image : N -> O -> V -> A -> R.
Variable target : N -> R.
Implicit Types (kernel : A -> R) (weights : O -> R) (t rate : R).

Definition preactivation kernel n o v : R := \sum_a image n o v a * kernel a.
Definition pooled kernel n o : R := maximum v0 (fun v => relu (preactivation kernel n o v)).
Definition weighted kernel weights n : R := \sum_o pooled kernel n o * weights o.
Definition cost kernel weights : R :=
  \sum_n (atan (weighted kernel weights n) - target n) ^+ 2 / 2%:R.

(* The place of the largest pre-activation of a window. *)
Definition place kernel n o : V := winner v0 (preactivation kernel n o).

(* The chain rule: delta = (p - t) / (1 + s^2); delta . pooled for the weights; for the kernel
   delta . weight where the window's winner is positive, times the image's entry there. *)
Definition delta kernel weights n : R :=
  (atan (weighted kernel weights n) - target n) / (1 + weighted kernel weights n ^+ 2).
Definition kernel_gradient kernel weights a : R :=
  \sum_n \sum_o delta kernel weights n * weights o
    * relu_derivative (preactivation kernel n o (place kernel n o))
    * image n o (place kernel n o) a.
Definition weights_gradient kernel weights o : R :=
  \sum_n delta kernel weights n * pooled kernel n o.

(* The squared length of both gradients. *)
Definition squared_norm kernel weights : R :=
  \sum_a kernel_gradient kernel weights a ^+ 2 + \sum_o weights_gradient kernel weights o ^+ 2.

(* Off every kink: no winner is 0, and a positive one is alone. *)
Definition off_kinks kernel : Prop :=
  forall n o, let y := preactivation kernel n o in
  y (place kernel n o) != 0
  /\ (0 < y (place kernel n o) -> forall v, v != place kernel n o -> y v < y (place kernel n o)).

(* Steps up to [rate] along [move] cross no kink: no pre-activation goes further than to 0, and none
   of a window further than to where it meets another. *)
Definition crosses_no_kink kernel (move : A -> R) rate : Prop :=
  forall n o v, let y := preactivation kernel n o in let speed := preactivation move n o in
  rate * `|speed v| <= `|y v|
  /\ forall v', v' != v -> rate * (`|speed v| + `|speed v'|) <= `|y v - y v'|.

Implicit Types (move : A -> R) (turn : O -> R).

(* How fast pooled entries move along [move], and the b and c of the weighted sums s + t b + t^2 c
   along (move, turn). *)
Definition speed kernel move n o : R :=
  relu_derivative (preactivation kernel n o (place kernel n o))
  * preactivation move n o (place kernel n o).
Definition velocity kernel weights move turn n : R :=
  \sum_o (pooled kernel n o * turn o + speed kernel move n o * weights o).
Definition acceleration kernel move turn n : R :=
  \sum_o speed kernel move n o * turn o.

(* Pre-activations are linear in the kernel. *)
Lemma preactivation_along kernel move t n o v :
  preactivation (fun a => kernel a + t * move a) n o v
  = preactivation kernel n o v + t * preactivation move n o v.
Proof.
by rewrite mulr_sumr -big_split; apply: eq_bigr => a _; rewrite mulrDr mulrCA.
Qed.

(* Where the winner stays the largest and keeps its sign, the pooled entry is linear. *)
Lemma pooled_along kernel move t n o (w := place kernel n o) (y := preactivation kernel n o)
    (m := preactivation move n o) :
  `|t * m w| <= `|y w| ->
  (forall v, v != w -> y v + t * m v <= y w + t * m w \/ y v + t * m v <= 0) ->
  pooled (fun a => kernel a + t * move a) n o = pooled kernel n o + t * speed kernel move n o.
Proof.
move=> small w_max; rewrite /pooled (@maximum_at _ _ _ _ w) => [|v]; last first.
  by rewrite !preactivation_along; have [-> //|/w_max/relu_le] := eqVneq v w.
rewrite (@maximum_at _ _ _ _ w) => [|v]; last by apply: relu_le; left; apply: winner_is_largest.
rewrite preactivation_along /speed -/w -/y -/m mulrCA; have [y0|y_neq0] := eqVneq (y w) 0.
  by move: small; rewrite y0 normr0 normr_le0 => /eqP ->; rewrite mulr0 !addr0.
by rewrite [RHS]addrC mulrC -relu_derivative_matches_differences ?subrK.
Qed.

(* Where the pooled entries are linear, each weighted sum is a quadratic. *)
Lemma cost_along kernel weights move turn t :
  (forall n o, pooled (fun a => kernel a + t * move a) n o
    = pooled kernel n o + t * speed kernel move n o) ->
  cost (fun a => kernel a + t * move a) (fun o => weights o + t * turn o)
  = \sum_n loss (target n) (quadratic (weighted kernel weights n)
      (velocity kernel weights move turn n) (acceleration kernel move turn n) t).
Proof.
move=> pooledE; apply: eq_bigr => n _; congr ((atan _ - _) ^+ 2 / _).
rewrite /quadratic !mulr_sumr -!big_split; apply: eq_bigr => o _.
by rewrite pooledE; algebra.
Qed.

(* The inner product with the chain rule's gradients, image by image. *)
Lemma inner_product_along kernel weights move turn :
  \sum_a kernel_gradient kernel weights a * move a
  + \sum_o weights_gradient kernel weights o * turn o
  = \sum_n slope (target n) (weighted kernel weights n) * velocity kernel weights move turn n.
Proof.
rewrite (eq_bigr _ (fun a _ => mulr_suml _ _ _ _)) exchange_big /=.
rewrite [X in _ + X](eq_bigr _ (fun o _ => mulr_suml _ _ _ _)) [X in _ + X]exchange_big.
rewrite -big_split; apply: eq_bigr => n _ /=.
rewrite (eq_bigr _ (fun a _ => mulr_suml _ _ _ _)) exchange_big -big_split mulr_sumr.
apply: eq_bigr => o _ /=; rewrite addrC mulrDr mulrA /speed; congr (_ + _).
rewrite (mulrAC _ (preactivation _ _ _ _)) mulrA mulr_sumr; apply: eq_bigr => a _.
by rewrite /delta /slope; algebra.
Qed.

(* Off kinks the pooled entries are linear near 0. *)
Lemma pooled_near kernel move : off_kinks kernel -> \forall t \near (0 : R), forall n o,
  pooled (fun a => kernel a + t * move a) n o = pooled kernel n o + t * speed kernel move n o.
Proof.
have near_all (I : finType) f := @filter_forall R I f (nbhs (0 : R)) _.
move=> off; apply/near_all => n; apply/near_all => o; have [y_neq0 alone] := off n o.
set w := place kernel n o in y_neq0 alone; set y := preactivation kernel n o in y_neq0 alone.
set m := preactivation move n o.
have small : \forall t \near (0 : R), `|t * m w| <= `|y w|.
  have y_gt0 : 0 < `|y w| by rewrite normr_gt0.
  apply: filterS2 (near_le (m w) 0 y_gt0) (near_le (- m w) 0 y_gt0) => t.
  by rewrite mulr0 !add0r addr0 mulrN ler_norml ler_oppl => -> ->.
suff w_max v : \forall t \near (0 : R), v != w ->
    y v + t * m v <= y w + t * m w \/ y v + t * m v <= 0.
  by apply: filterS2 small (near_all _ _ _ w_max) => t; apply: pooled_along.
have [->|v_w] := eqVneq v w; first by apply: filterS small => t _ /negP [].
have [y_lt0|y_gt0|/eqP] := ltgtP (y w) 0; last by rewrite (negPf y_neq0).
  apply: filterS (near_le (m v) 0 (le_lt_trans (winner_is_largest v0 y v) y_lt0)) => t.
  by rewrite mulr0 addr0; right.
by apply: filterS (near_le (m v) (m w) (alone y_gt0 v v_w)) => t; left.
Qed.

(* Off kinks the derivative of the cost, along every direction (move, turn), is the inner product
   with the chain rule's gradients. *)
Theorem gradients_are_the_chain_rule kernel weights (move : A -> R) (turn : O -> R) :
  off_kinks kernel ->
  is_derive (0 : R) (1 : R)
    (fun t => cost (fun a => kernel a + t * move a) (fun o => weights o + t * turn o))
    (\sum_a kernel_gradient kernel weights a * move a
     + \sum_o weights_gradient kernel weights o * turn o).
Proof.
move=> /(pooled_near move) near_line; rewrite inner_product_along.
apply: is_derive_near (filterS (fun t along => esym (cost_along weights turn along)) near_line) _.
apply: is_derive_bigsum => n.
apply: is_derive_eq (is_derive1_comp (loss_derivative _ _) (quadratic_derivative _ _ _ _)) _.
by rewrite quadratic0 !mul0r addr0.
Qed.

(* The parameters after a step against the gradients. *)
Definition new_kernel kernel weights rate a : R :=
  kernel a - rate * kernel_gradient kernel weights a.
Definition new_weights kernel weights rate o : R :=
  weights o - rate * weights_gradient kernel weights o.

(* A step against the gradients is one along them, by - rate. *)
Lemma cost_new kernel weights rate :
  cost (new_kernel kernel weights rate) (new_weights kernel weights rate)
  = cost (fun a => kernel a + - rate * kernel_gradient kernel weights a)
      (fun o => weights o + - rate * weights_gradient kernel weights o).
Proof.
have line (I : Type) (f g : I -> R) : (fun i => f i - rate * g i) = (fun i => f i + - rate * g i).
  by apply: funext => i; rewrite mulNr.
by rewrite -!line.
Qed.

(* Off kinks, and where a gradient is not 0, every small enough step makes the cost smaller. *)
Theorem cost_falls_on_small_steps kernel weights :
  off_kinks kernel -> 0 < squared_norm kernel weights ->
  exists2 longest, 0 < longest & forall rate, 0 < rate < longest ->
  cost (new_kernel kernel weights rate) (new_weights kernel weights rate) < cost kernel weights.
Proof.
move=> off g_gt0; have := gradients_are_the_chain_rule weights (kernel_gradient kernel weights)
  (weights_gradient kernel weights) off.
rewrite -[X in is_derive _ _ _ X]/(squared_norm kernel weights).
case/is_derive1_caratheodory => quotient [quotientE cont at0].
have := cvgr_gt _ cont; rewrite at0 => /(_ _ _ g_gt0) /nbhs_ballP [longest /= longest_gt0 pos].
exists longest => // rate /andP [rate_gt0 rate_small]; rewrite cost_new -subr_lt0.
have still (I : Type) (f g : I -> R) : (fun i => f i + 0 * g i) = f.
  by apply: funext => i; rewrite mul0r addr0.
have := quotientE (- rate); rewrite !still subr0 => ->; rewrite mulrN oppr_lt0 mulr_gt0 // pos //.
by rewrite /ball /= opprK add0r gtr0_norm.
Qed.

(* On a step that crosses no kink, s = s0 - rate b + rate^2 c for each image, with these b and c. *)
Definition first kernel weights : N -> R :=
  velocity kernel weights (kernel_gradient kernel weights) (weights_gradient kernel weights).
Definition second kernel weights : N -> R :=
  acceleration kernel (kernel_gradient kernel weights) (weights_gradient kernel weights).

(* The property's bound on the cost's second derivative up to [rate]:
   (1 + 0.65 r) (|b| + 2 rate |c|)^2 + 2 r |c|, where r bounds the residual. *)
Definition residual kernel weights rate n : R :=
  Num.min (`|atan (weighted kernel weights n) - target n|
           + `|first kernel weights n| * rate + `|second kernel weights n| * rate ^+ 2)
          (`|target n| + pi / 2%:R).
Definition curvature kernel weights rate : R :=
  \sum_n ((1 + 65%:R / 100%:R * residual kernel weights rate n)
            * (`|first kernel weights n| + 2%:R * rate * `|second kernel weights n|) ^+ 2
          + 2%:R * residual kernel weights rate n * `|second kernel weights n|).

(* The cost decreases by rate |g|^2, up to rate^2 / 2 times the curvature. *)
Theorem cost_decreases_at_the_gradients_rate kernel weights rate :
  0 <= rate ->
  crosses_no_kink kernel (kernel_gradient kernel weights) rate ->
  `|cost (new_kernel kernel weights rate) (new_weights kernel weights rate) - cost kernel weights
    + rate * squared_norm kernel weights|
  <= rate ^+ 2 / 2%:R * curvature kernel weights rate.
Proof.
move=> rate_ge0 cross; rewrite cost_new cost_along => [|n o]; last first.
  set w := place kernel n o; have le_w v := winner_is_largest v0 (preactivation kernel n o) v.
  have [small gap] := cross n o w.
  apply: pooled_along => [|v /gap]; first by rewrite normrM normrN ger0_norm.
  rewrite (ger0_norm (_ : 0 <= _ - _)) ?subr_ge0 // => le_gap; left; apply: stays_below.
  by apply: le_trans le_gap; rewrite normrN ger0_norm // ler_wpmul2l // ler_norm_sub.
rewrite [squared_norm _ _]inner_product_along mulr_sumr -sumrB -big_split mulr_sumr.
rewrite (le_trans (ler_norm_sum _ _ _)) // ler_sum // => n _; apply: loss_falls => // t.
exact: residual_bound.
Qed.

(* Where that rest is at most half of rate |g|^2, the cost falls by the other half at least. *)
Theorem cost_falls_by_half_of_the_promise kernel weights rate :
  0 <= rate -> crosses_no_kink kernel (kernel_gradient kernel weights) rate ->
  rate ^+ 2 / 2%:R * curvature kernel weights rate <= rate * squared_norm kernel weights / 2%:R ->
  cost (new_kernel kernel weights rate) (new_weights kernel weights rate)
  <= cost kernel weights - rate * squared_norm kernel weights / 2%:R.
Proof.
move=> rate_ge0 cross small.
have := cost_decreases_at_the_gradients_rate rate_ge0 cross.
move=> /(le_trans (ler_norm _))/le_trans/(_ small).
set new := cost _ _; set old := cost _ _; set promise := rate * _.
rewrite -ler_subr_addr ler_subl_addl => /le_trans; apply.
by rewrite ler_add2l {2}(splitr promise) opprD addrA subrr add0r.
Qed.

End Network.

Section Link.
Variables (R : realType) (N C F V W : finType) (flips : bool) (rows cols : convolution.axis).
(* Window o has its place v in the convolution's output at row [row o v] and column [col o v]. *)
Variables (x : N -> C -> nat -> nat -> R) (row col : W -> V -> nat).

(* The image's entries as the network above takes them: a pooled entry is a filter and a window, an
   entry of the kernel a filter, a channel, a row and a column. *)
Definition met n (o : F * W) v
    (a : F * (C * ('I_(convolution.taps rows) * 'I_(convolution.taps cols)))) : R :=
  (o.1 == a.1)%:R * convolution.padded rows cols (x n a.2.1)
    (convolution.place flips rows (row o.2 v) a.2.2.1)
    (convolution.place flips cols (col o.2 v) a.2.2.2).

(* With them the network's pre-activations are the convolution's outputs at the windows' places, for
   any number of channels and filters, any stride, padding and dilation. *)
Theorem preactivation_is_the_convolution (k : F -> C -> nat -> nat -> R) n o v :
  preactivation met (fun a => k a.1 a.2.1 a.2.2.1 a.2.2.2) n o v
  = convolution.conv2d flips rows cols x k n o.1 (row o.2 v) (col o.2 v).
Proof.
rewrite /preactivation -(pair_bigA _ (fun f a => met n o v (f, a) * k f a.1 a.2.1 a.2.2)) /=.
rewrite (bigD1 o.1) //= [X in _ + X]big1 ?addr0 => [|f /negPf other]; last first.
  by rewrite big1 // => a _; rewrite /met /= eq_sym other !mul0r.
rewrite -(pair_bigA _ (fun c a => met n o v (o.1, (c, a)) * k o.1 c a.1 a.2)) /=.
apply: eq_bigr => c _; rewrite pair_bigA /=; apply: eq_bigr => -[a b] _.
by rewrite /met /= eqxx mul1r.
Qed.

End Link.
