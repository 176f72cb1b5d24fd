(* Max pooling and its subgradients, over any ordered field; a window is of any finite kind, so of
   any size, and windows may overlap. *)
From mathcomp Require Import all_ssreflect all_algebra.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Window.
Variables (R : realFieldType) (V : finType) (v0 : V).
Implicit Types (x g z : V -> R) (u : R) (v : V).

(* The maximum of a window x, the set of its maxima, and the first of them. *)
Definition maximum x : R := \big[Num.max/x v0]_v x v.
Definition maxima x : {set V} := [set v | x v == maximum x].
Definition winner x : V := odflt v0 [pick v in maxima x].

(* Weights g on the maxima, of sum 1. *)
Definition shares x g : Prop :=
  [/\ forall v, 0 <= g v, \sum_v g v = 1 & forall v, v \notin maxima x -> g v = 0].

(* g is a subgradient of the maximum at x: a slope that lies nowhere above it. *)
Definition subgradient x g : Prop :=
  forall z, maximum x + \sum_v g v * (z v - x v) <= maximum z.

(* The two usual formulas, with the upstream value u. *)
Definition argmax_scatter x u v : R := if v == winner x then u else 0.
Definition mask_repeat x u v : R := if v \in maxima x then u else 0.

(* No entry is above the maximum. *)
Lemma le_maximum x v : x v <= maximum x.
Proof.
rewrite /maximum; elim: index_enum (mem_index_enum v) => //= w s IHs.
by rewrite big_cons le_maxr inE => /predU1P[->|/IHs ->]; rewrite ?lexx ?orbT.
Qed.

(* The winner is one of the maxima. *)
Lemma winner_maxima x : winner x \in maxima x.
Proof.
rewrite /winner; case: pickP => //= no_max.
suff [v max_v] : exists v, x v = maximum x by have := no_max v; rewrite inE max_v eqxx.
by elim/big_ind: (maximum x) => [|_ _ [v <-] [w <-]|v _]; [exists v0|case: leP; eexists|exists v].
Qed.

(* No entry is above the winner. *)
Lemma winner_is_largest x v : x v <= x (winner x).
Proof. by have := winner_maxima x; rewrite inE => /eqP ->; apply: le_maximum. Qed.

(* What bounds every entry bounds the maximum. *)
Lemma maximum_le x c : (forall v, x v <= c) -> maximum x <= c.
Proof. by move=> le_c; have := winner_maxima x; rewrite inE => /eqP <-. Qed.

(* Weights on the maxima average the window to its maximum. *)
Lemma shares_sum x g : shares x g -> \sum_v g v * x v = maximum x.
Proof.
case=> _ g1 off; rewrite -[RHS]mul1r -g1 mulr_suml; apply: eq_bigr => v _.
by have [|/off ->] := boolP (v \in maxima x); rewrite ?mul0r // inE => /eqP ->.
Qed.

(* A step h that raises the maximum by c at most has an inner product of at most c with every
   subgradient g ... *)
Lemma subgradient_step x g (h : V -> R) c :
  subgradient x g -> (forall v, x v + h v <= maximum x + c) -> \sum_v g v * h v <= c.
Proof.
move=> sub le_h; have := le_trans (sub (fun v => x v + h v)) (maximum_le le_h).
by rewrite ler_add2l; under eq_bigr do rewrite addrAC subrr add0r.
Qed.

(* ... so g[v] c is not positive for a step c at one place v that leaves the maximum. *)
Lemma subgradient_at x g v (c : R) : subgradient x g -> x v + c <= maximum x -> g v * c <= 0.
Proof.
move=> sub le_c; have := @subgradient_step x g (fun w => if w == v then c else 0) 0 sub.
rewrite (bigD1 v) //= eqxx big1 ?addr0 => [|w /negPf ->]; last by rewrite mulr0.
by apply=> w; case: eqP => [->//|_]; rewrite addr0 le_maximum.
Qed.

(* The subgradients are exactly the weights on the maxima, in [0, 1] and of sum 1. *)
Theorem gradient_at_ties_is_a_subgradient x g : subgradient x g <-> shares x g.
Proof.
split=> [sub|sh z]; last first.
  rewrite (eq_bigr _ (fun v _ => mulrBr _ _ _)) sumrB (shares_sum sh) addrC subrK.
  case: sh => g_ge0 g1 _; rewrite -[leRHS]mul1r -g1 mulr_suml ler_sum // => v _.
  by rewrite ler_wpmul2l ?le_maximum.
have g_ge0 v : 0 <= g v.
  by rewrite -oppr_le0 -mulrN1 (subgradient_at sub) // ler_naddr ?lerN10 ?le_maximum.
have all_at c : (\sum_v g v) * c <= c.
  by rewrite mulr_suml (subgradient_step sub) // => v; rewrite ler_add2r le_maximum.
split=> // [|v].
  by apply/le_anti; have := (all_at 1, all_at (- 1)); rewrite mulr1 mulrN1 ler_opp2 => -[-> ->].
rewrite inE => off; apply/le_anti; rewrite g_ge0 andbT.
rewrite -(@pmulr_lle0 _ (maximum x - x v)) ?subr_gt0 ?lt_neqAle ?off ?le_maximum //.
by rewrite (subgradient_at sub) // addrC subrK.
Qed.

(* Argmax scatter is a subgradient, whatever the ties. *)
Theorem argmax_scatter_is_a_subgradient x : subgradient x (argmax_scatter x 1).
Proof.
apply/gradient_at_ties_is_a_subgradient; rewrite /argmax_scatter.
split=> [v||v]; [by case: ifP; rewrite ?ler01 | by rewrite -big_mkcond big_pred1_eq |].
by case: eqP => // ->; rewrite winner_maxima.
Qed.

(* Mask repeat equals argmax scatter exactly where the maximum is unique ... *)
Theorem mask_repeat_is_argmax_scatter x u :
  u != 0 -> (mask_repeat x u =1 argmax_scatter x u <-> #|maxima x| = 1%N).
Proof.
move=> u_neq0; split=> [eq_mask|/eqP/cards1P[w max_w] v].
  apply/eqP/cards1P; exists (winner x); apply/setP=> v; have := eq_mask v.
  rewrite in_set1 /mask_repeat /argmax_scatter.
  by case: ifP; case: ifP => // _ _ u0; case/eqP: u_neq0.
by have := winner_maxima x; rewrite /mask_repeat /argmax_scatter max_w !in_set1 => /eqP ->.
Qed.

(* Mask repeat gives u to each of the maxima. *)
Lemma mask_repeat_sum x u : \sum_v mask_repeat x u v = #|maxima x|%:R * u.
Proof. by rewrite /mask_repeat -big_mkcond sumr_const mulr_natl. Qed.

(* ... and only there is it a subgradient: a tie of m gets m times too much. *)
Theorem mask_repeat_at_a_tie_is_no_subgradient x u :
  \sum_v mask_repeat x u v = #|maxima x|%:R * u
  /\ (subgradient x (mask_repeat x 1) <-> #|maxima x| = 1%N).
Proof.
rewrite gradient_at_ties_is_a_subgradient; split; first exact: mask_repeat_sum.
split=> [[_ /eqP]|unique]; first by rewrite mask_repeat_sum mulr1 pnatr_eq1 => /eqP.
split=> [v||v /negPf off]; rewrite ?mask_repeat_sum ?unique ?mul1r // /mask_repeat ?off //.
by case: ifP; rewrite ?ler01.
Qed.

(* An entry that none exceeds is the maximum. *)
Lemma maximum_at x v : (forall v', x v' <= x v) -> maximum x = x v.
Proof. by move=> le_x; apply/le_anti; rewrite le_maximum maximum_le. Qed.

(* Off ties argmax scatter gives a window's central differences, for every step up to the gap. *)
Lemma maximum_differences x (t : R) v :
  0 < t -> (forall v', v' != winner x -> x v' + t <= x (winner x)) ->
  let moved (s : R) := fun v' => if v' == v then x v' + s else x v' in
  (maximum (moved t) - maximum (moved (- t))) / (t + t) = argmax_scatter x 1 v.
Proof.
move=> t_gt0 gap moved.
have le_tt : - t <= t by rewrite ge0_cp ?ltW.
have moved_max s : - t <= s <= t -> maximum (moved s) = moved s (winner x).
  case/andP=> le_ts le_st; apply: maximum_at => v'; rewrite /moved.
  have [->//|neq_v'] := eqVneq v' (winner x); have le_x := gap _ neq_v'.
  have [<-|_] := eqVneq v' v; first by rewrite eq_sym (negPf neq_v') (le_trans _ le_x) ?ler_add2l.
  case: eqP => _; last by rewrite (le_trans _ le_x) // ler_addl ltW.
  by rewrite -ler_subl_addr (le_trans _ le_x) // ler_add2l ler_oppl.
rewrite !moved_max ?lexx ?le_tt // /moved /argmax_scatter eq_sym.
case: eqP => _; last by rewrite subrr mul0r.
by rewrite [x _ + t]addrC addrKA opprK divff // lt0r_neq0 ?addr_gt0.
Qed.

(* x * mask sums to m times the maximum: once where it is unique. *)
Lemma masked_sum x : \sum_v mask_repeat x (x v) v = #|maxima x|%:R * maximum x.
Proof.
rewrite -mask_repeat_sum; apply: eq_bigr => v _.
by rewrite /mask_repeat inE; case: eqP.
Qed.

End Window.

Section Farkas.
Variables (R : realFieldType) (T I : finType) (f : I -> T -> R).
Implicit Types (a b c x : T -> R) (h : I -> T -> R) (l : R).

(* The inner product, and the sums of the vectors f i with weights that are not negative. *)
Definition dot a x : R := \sum_t a t * x t.
Definition cone c : Prop :=
  exists2 w : I -> R, forall i, 0 <= w i & forall t, c t = \sum_i w i * f i t.

(* A sum with one term. *)
Lemma sum_at (S : finType) (F : S -> R) s : \sum_t (t == s)%:R * F t = F s.
Proof. by under eq_bigr do rewrite mulr_natl mulrb; rewrite -big_mkcond big_pred1_eq. Qed.

(* Farkas' lemma, for some h i of the cone: c is in it too, or some x has a positive product with c
   and with none of the h i (after Bartl 2008, who takes one h i after the other away). *)
Lemma farkas (r : seq I) h c : {in r, forall i, cone (h i)} ->
  cone c \/ exists2 x, {in r, forall i, dot (h i) x <= 0} & 0 < dot c x.
Proof.
have dotC a x : dot a x = dot x a by apply: eq_bigr => t _; rewrite mulrC.
have dotB a b l x : dot (fun t => a t - l * b t) x = dot a x - l * dot b x.
  by rewrite /dot mulr_sumr -sumrB; apply: eq_bigr => t _; rewrite mulrBl mulrA.
have coneD l a b d : 0 <= l -> cone a -> cone b -> (forall t, d t = a t + l * b t) -> cone d.
  move=> l_ge0 [w w_ge0 aE] [w' w'_ge0 bE] dE.
  exists (fun i => w i + l * w' i) => [i|t]; first by rewrite addr_ge0 ?mulr_ge0.
  by rewrite dE aE bE mulr_sumr -big_split; apply: eq_bigr => i _; rewrite mulrDl mulrA.
elim: r h c => [|j r IHr] h c.
  have c_ge0 t (_ : true) := sqr_ge0 (c t).
  have: 0 <= dot c c := sumr_ge0 _ c_ge0; rewrite le_eqVlt.
  case/predU1P=> [/esym/(psumr_eq0P c_ge0) c0|]; [left | by right; exists c].
  by exists (fun=> 0) => // t; apply/eqP; rewrite big1 => [|i _]; rewrite ?mul0r // -sqrf_eq0 c0.
case/forall_cons=> cone_j cone_r; have [|[y le_y c_y]] := IHr h c cone_r; first by left.
have [le_j|j_gt0] := lerP (dot (h j) y) 0; first by right; exists y => //; apply/forall_cons.
pose q a x := dot a x / dot (h j) y; pose off a t := a t - q a y * h j t.
have cone_off : {in r, forall i, cone (off (h i))}.
  move=> i ri; apply: (coneD (- q (h i) y)) (cone_r i ri) cone_j _ => [|t]; last by rewrite mulNr.
  by rewrite oppr_ge0 pmulr_lle0 ?invr_gt0 ?le_y.
have [cone_c|[x le_x c_x]] := IHr (off \o h) (off c) cone_off; [left|right].
  by apply: (coneD (q c y)) cone_c cone_j _ => [|t]; rewrite ?subrK ?divr_ge0 ?ltW.
pose z t := x t - q (h j) x * y t; have dot_z a : dot a z = dot (off a) x.
  by rewrite dotC !dotB !(dotC _ a) /q mulrAC [in RHS]mulrAC [dot a y * _]mulrC.
exists z => [i /predU1P[->|/le_x]|]; rewrite dot_z //.
by rewrite dotB /q divff ?mul1r ?subrr // lt0r_neq0.
Qed.

End Farkas.

Section Pooling.
Variables (R : realFieldType) (V O X : finType) (v0 : V).
(* The entry of the input that stands at place v of window o. *)
Variable entry : O -> V -> X.
Implicit Types (x : X -> R) (u w : O -> R) (g : O -> V -> R).

Definition window x (o : O) : V -> R := fun v => x (entry o v).
Definition max_pool x (o : O) : R := maximum v0 (window x o).

(* Each upstream value, of either sign, is shared out in its window by the weights g, which are a
   subgradient of the window's maximum; overlapping windows add up. *)
Definition max_pool_gradient u g (p : X) : R := \sum_o \sum_(v | entry o v == p) g o v * u o.

(* The gradient applied to any z sums window by window. *)
Lemma max_pool_gradient_sum u g z :
  \sum_p max_pool_gradient u g p * z p = \sum_o u o * \sum_v g o v * window z o v.
Proof.
under eq_bigr do rewrite mulr_suml.
rewrite exchange_big; apply: eq_bigr => o _ /=.
rewrite mulr_sumr (partition_big (entry o) xpredT) //=; apply: eq_bigr => p _.
by rewrite mulr_suml; apply: eq_bigr => v /eqP <-; rewrite mulrAC mulrC.
Qed.

(* <gradient, x> = <upstream, max_pool(x)>, at ties too. *)
Theorem gradient_obeys_eulers_identity x u g :
  (forall o, shares v0 (window x o) (g o)) ->
  \sum_p max_pool_gradient u g p * x p = \sum_o u o * max_pool x o.
Proof.
by move=> sh; rewrite max_pool_gradient_sum; apply: eq_bigr => o _; rewrite (shares_sum (sh o)).
Qed.

(* What is below the maximum of each window that holds it gets nothing. *)
Theorem gradient_vanishes_off_the_maxima x u g p :
  (forall o, shares v0 (window x o) (g o)) ->
  (forall o v, entry o v = p -> x p < max_pool x o) -> max_pool_gradient u g p = 0.
Proof.
move=> sh below; apply: big1 => o _; apply: big1 => v /eqP at_p; have [_ _ -> //] := sh o.
  by rewrite mul0r.
by rewrite inE /window at_p lt_eqF // (below o v).
Qed.

(* Off ties the gradient, by argmax scatter, is that of central differences of <upstream, max_pool>,
   for every step up to the gap of each window. *)
Theorem gradient_matches_differences x u (t : R) p :
  0 < t -> (forall o, injective (entry o)) ->
  (forall o v (best := winner v0 (window x o)),
     v != best -> window x o v + t <= window x o best) ->
  let moved s q := if q == p then x q + s else x q in
  (\sum_o u o * max_pool (moved t) o - \sum_o u o * max_pool (moved (- t)) o) / (t + t)
  = max_pool_gradient u (fun o => argmax_scatter v0 (window x o) 1) p.
Proof.
move=> t_gt0 inj gap moved; rewrite -sumrB mulr_suml; apply: eq_bigr => o _.
rewrite -mulrBr -mulrA; have [v /eqP vp|none] := pickP (fun v => entry o v == p); last first.
  rewrite big_pred0 //.
  have unmoved s : max_pool (moved s) o = max_pool x o.
    by rewrite /max_pool /maximum /window /moved none; apply: eq_bigr => w _; rewrite none.
  by rewrite !unmoved subrr mul0r mulr0.
rewrite (big_pred1 v) => [|w]; last by rewrite /= -vp (inj_eq (inj o)).
rewrite mulrC -(maximum_differences v t_gt0 (gap o)); congr (_ * _); congr ((_ - _) / _);
  rewrite /max_pool /maximum /window /moved -vp (inj_eq (inj o)); apply: eq_bigr => w _;
  by rewrite (inj_eq (inj o)).
Qed.

(* For upstream values that are not negative, the subgradients of <upstream, max_pool> are exactly
   the sums of a subgradient of each window, also where windows overlap. *)
Theorem overlapping_gradients_are_the_subgradients x u (G : X -> R) :
  (forall o, 0 <= u o) ->
  ((forall z, \sum_o u o * max_pool x o + \sum_p G p * (z p - x p) <= \sum_o u o * max_pool z o)
   <-> exists2 g : O -> V -> R,
         forall o, shares v0 (window x o) (g o) & G =1 max_pool_gradient u g).
Proof.
move=> u_ge0; split=> [sub|[g sh GE] z]; last first.
  under [X in _ + X]eq_bigr do rewrite GE.
  rewrite max_pool_gradient_sum -big_split ler_sum //= => o _; rewrite -mulrDr ler_wpmul2l //.
  by have /gradient_at_ties_is_a_subgradient := sh o; apply.
pose both (a : X -> R) (b : O -> R) t := match t with inl p => a p | inr o => b o end.
have step z : (forall o v, window x o v + z (inl (entry o v)) <= max_pool x o - z (inr o)) ->
    dot (both G u) z <= 0.
  move=> le_z; have le_o o (_ : true) := ler_wpmul2l (u_ge0 o) (maximum_le v0 (le_z o)).
  have := le_trans (sub (fun p => x p + z (inl p))) (ler_sum _ le_o).
  under [X in _ + X]eq_bigr do rewrite addrAC subrr add0r; under [leRHS]eq_bigr do rewrite mulrBr.
  by rewrite sumrB ler_add2l -subr_le0 opprK /dot big_sumType.
pose at_ (i : O * V) := both (fun p => (p == entry i.1 i.2)%:R) (fun o => (o == i.1)%:R).
have dot_at i z : dot (at_ i) z = z (inl (entry i.1 i.2)) + z (inr i.1).
  by rewrite /dot big_sumType /= !sum_at.
have cone_at i : cone at_ (at_ i).
  by exists (fun j => (j == i)%:R) => [j|t]; rewrite ?ler0n ?(sum_at (at_^~ t)).
have [[w w_ge0 wE]|[z le_z]] := farkas (r := index_enum _) (both G u) (in1W cone_at); last first.
  rewrite ltNge step // => o v; rewrite ler_add ?le_maximum // -subr_le0 opprK.
  by rewrite -(dot_at (o, v)) le_z ?mem_index_enum.
have bothE t : both G u t = \sum_o \sum_v w (o, v) * at_ (o, v) t.
  by rewrite wE pair_bigA; apply: eq_bigr => -[].
have w_sum o : \sum_v w (o, v) = u o.
  rewrite (bothE (inr o) : u o = _) -[LHS](sum_at (fun o => \sum_v w (o, v))).
  by apply: eq_bigr => o' _; rewrite mulrC mulr_suml eq_sym.
pose gap := both (fun p => - x p) (max_pool x).
have slack i : w i * dot (at_ i) gap = 0.
  have ge0 j : true -> 0 <= w j * dot (at_ j) gap.
    by rewrite mulr_ge0 // dot_at addrC subr_ge0 (le_maximum v0 (window x j.1)).
  apply: (psumr_eq0P ge0) => //; apply/le_anti; rewrite sumr_ge0 // andbT.
  rewrite (le_trans _ (step gap _)) // => [|o v]; last by rewrite !subrr.
  rewrite /dot; under [leRHS]eq_bigr do rewrite wE mulr_suml.
  by rewrite exchange_big ler_sum //= => j _; rewrite mulr_sumr ler_sum // => t _; rewrite mulrA.
pose g o v := if u o == 0 then argmax_scatter v0 (window x o) 1 v else w (o, v) / u o.
have gE o v : w (o, v) = g o v * u o.
  rewrite /g; case: eqVneq => [u0|/divfK ->] //.
  by rewrite u0 mulr0 (psumr_eq0P _ (etrans (w_sum o) u0)).
exists g => [o|p]; last first.
  rewrite (bothE (inl p) : G p = _); apply: eq_bigr => o _; rewrite [RHS]big_mkcond.
  by apply: eq_bigr => v _; rewrite mulr_natr mulrb eq_sym gE.
rewrite /g; have [_|u_neq0] := eqVneq (u o) 0.
  exact/gradient_at_ties_is_a_subgradient/argmax_scatter_is_a_subgradient.
split=> [v||v off]; rewrite ?divr_ge0 -?mulr_suml ?w_sum ?divff //.
have /eqP := slack (o, v); rewrite dot_at mulf_eq0 addrC subr_eq0.
by case/orP=> [/eqP ->|max_v]; rewrite ?mul0r //; case/negP: off; rewrite inE eq_sym.
Qed.

(* The dense layer with its weights grown over the windows: the same where maxima are unique, and
   m times the window's part at a tie of m. *)
Theorem predict_grows_weights_over_windows x w :
  \sum_o \sum_v mask_repeat v0 (window x o) (window x o v * w o) v
  = \sum_o #|maxima v0 (window x o)|%:R * (max_pool x o * w o)
  /\ ((forall o, #|maxima v0 (window x o)| = 1%N \/ max_pool x o = 0) ->
      \sum_o \sum_v mask_repeat v0 (window x o) (window x o v * w o) v
      = \sum_o max_pool x o * w o).
Proof.
have sum_mask o : \sum_v mask_repeat v0 (window x o) (window x o v * w o) v
    = #|maxima v0 (window x o)|%:R * (max_pool x o * w o).
  rewrite mulrA -masked_sum mulr_suml; apply: eq_bigr => v _.
  by rewrite /mask_repeat; case: ifP; rewrite ?mul0r.
split=> [|max_x]; apply: eq_bigr => o _; rewrite sum_mask //.
by case: (max_x o) => ->; rewrite ?mul1r // mul0r mulr0.
Qed.

End Pooling.
